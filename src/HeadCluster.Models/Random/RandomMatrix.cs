namespace HeadCluster.Models;

/// <summary>
/// A matrix of random weights whose every element is a function of the seed and its own place alone, so that a slice has the
/// same bits as the same part of the whole, on every CPU.
/// </summary>
/// <remarks>
/// A row's stream is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), which can be
/// entered at any element, from a start that the same mixing makes of seed, layer, matrix and row. The top 24 bits of a number are
/// a float exactly: (n − 2²³) / 2²³ is uniform in [−1, 1).
/// </remarks>
internal readonly struct RandomMatrix
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;
    private const int FloatBits = 24;
    private const int Half = 1 << (FloatBits - 1);

    private readonly ulong _key;
    private readonly float _step;

    /// <summary>A matrix of the seed's family.</summary>
    /// <param name="seed">The family.</param>
    /// <param name="layer">The layer it belongs to.</param>
    /// <param name="matrix">Which of the layer's it is.</param>
    /// <param name="variance">Variance of its elements.</param>
    public RandomMatrix(ulong seed, int layer, int matrix, float variance)
    {
        _key = Derive(Derive(Mix(seed), layer), matrix);

        // Uniform in ±a has the variance a²/3. Square root and product are rounded the same way on every CPU.
        _step = MathF.Sqrt(3 * variance) / Half;
    }

    /// <summary>Columns of one row, <paramref name="destination"/>.Length of them from <paramref name="firstColumn"/> on.</summary>
    public void Fill(int row, int firstColumn, Span<float> destination)
    {
        var state = Derive(_key, row) + ((ulong)firstColumn * GoldenGamma);
        foreach (ref var element in destination)
        {
            state += GoldenGamma;
            element = ((int)(Mix(state) >> (64 - FloatBits)) - Half) * _step;
        }
    }

    private static ulong Derive(ulong key, int index) => Mix(key ^ Mix((ulong)index + GoldenGamma));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
