using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>softmax(x)[i] = exp(x[i] − max x) / Σ_j exp(x[j] − max x).</summary>
public static class SoftmaxKernel
{
    /// <summary>Computes the softmax of one row.</summary>
    /// <param name="x">The row; −∞ weighs 0, and a row of nothing but −∞ gives zeros.</param>
    /// <param name="result">As long as <paramref name="x"/>; may be the same span. NaN or +∞ in x gives NaN.</param>
    /// <exception cref="ArgumentException">The result is too short or overlaps x in part.</exception>
    [MethodImpl(Compile.Alone)]
    public static void Apply(ReadOnlySpan<float> x, Span<float> result)
    {
        Check.AtLeast(result.Length, x.Length, nameof(result));
        result = result[..x.Length];
        Check.SameOrApart(x, result, nameof(result));

        var maximum = Maximum(x);
        if (maximum == float.NegativeInfinity)
        {
            result.Clear();
            return;
        }

        var sum = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var weight = Elementary.Exp(Lanes.Load(x, i, fill: float.NegativeInfinity) - Vector512.Create(maximum));
            Lanes.Store(weight, result, i);
            sum += weight;
        }

        Divide(result, Lanes.SumTree(sum));
    }

    [MethodImpl(Compile.Alone)]
    private static float Maximum(ReadOnlySpan<float> x)
    {
        var maximum = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            maximum = Vector512.Max(maximum, Lanes.Load(x, i, fill: float.NegativeInfinity));
        }

        return Lanes.Max(maximum);
    }

    [MethodImpl(Compile.Alone)]
    private static void Divide(Span<float> values, float denominator)
    {
        for (var i = 0; i < values.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(values, i, fill: 0) / denominator, values, i);
        }
    }
}
