using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// Layer normalisation, Ba et al. 2016 (arXiv:1607.06450): y = (x − mean) / √(variance + ε) · scale + bias over each row, with
/// the variance of the whole row (divided by its length).
/// </summary>
public static class LayerNormKernel
{
    /// <summary>Normalises each row.</summary>
    /// <param name="x"><c>[rows, scale.Length]</c>, row-major.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="scale">γ, one per column.</param>
    /// <param name="bias">β, one per column, or empty for none.</param>
    /// <param name="epsilon">ε, added to the variance.</param>
    /// <param name="y"><c>[rows, scale.Length]</c>; may be the same span as <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">A span is too short, or y overlaps x in part.</exception>
    public static void Apply(ReadOnlySpan<float> x, int rows, ReadOnlySpan<float> scale, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
    {
        var columns = scale.Length;
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Check.AtLeast(x.Length, (long)rows * columns, nameof(x));
        Check.AtLeast(y.Length, (long)rows * columns, nameof(y));
        Check.SameOrApart(x[..(rows * columns)], y[..(rows * columns)], nameof(y));
        if (bias.Length != 0)
        {
            Check.AtLeast(bias.Length, columns, nameof(bias));
            bias = bias[..columns];
        }

        for (var row = 0; row < rows; row++)
        {
            ApplyRow(x.Slice(row * columns, columns), scale, bias, epsilon, y.Slice(row * columns, columns));
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void ApplyRow(ReadOnlySpan<float> x, ReadOnlySpan<float> scale, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
    {
        var mean = RowSums.Sum(x) / x.Length;
        var variance = RowSums.SumOfSquares(x, mean) / x.Length;
        var deviation = MathF.Sqrt(variance + epsilon);
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var normal = (Lanes.Load(x, i, fill: 0) - Vector512.Create(mean)) / deviation;
            var shift = bias.IsEmpty ? Vector512<float>.Zero : Lanes.Load(bias, i, fill: 0);
            Lanes.Store(Vector512.FusedMultiplyAdd(normal, Lanes.Load(scale, i, fill: 0), shift), y, i);
        }
    }
}
