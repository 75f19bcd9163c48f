using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// Root mean square layer normalisation, Zhang and Sennrich 2019 (arXiv:1910.07467): y = x / √(mean of x² + ε) · scale over each
/// row.
/// </summary>
public static class RmsNormKernel
{
    /// <summary>Normalises each row.</summary>
    /// <param name="x"><c>[rows, scale.Length]</c>, row-major.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="scale">g, one per column.</param>
    /// <param name="epsilon">ε, added to the mean of the squares.</param>
    /// <param name="y"><c>[rows, scale.Length]</c>; may be the same span as <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">A span is too short, or y overlaps x in part.</exception>
    public static void Apply(ReadOnlySpan<float> x, int rows, ReadOnlySpan<float> scale, float epsilon, Span<float> y)
    {
        var columns = scale.Length;
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Check.AtLeast(x.Length, (long)rows * columns, nameof(x));
        Check.AtLeast(y.Length, (long)rows * columns, nameof(y));
        Check.SameOrApart(x[..(rows * columns)], y[..(rows * columns)], nameof(y));
        for (var row = 0; row < rows; row++)
        {
            ApplyRow(x.Slice(row * columns, columns), scale, epsilon, y.Slice(row * columns, columns));
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void ApplyRow(ReadOnlySpan<float> x, ReadOnlySpan<float> scale, float epsilon, Span<float> y)
    {
        var factor = Elementary.ReciprocalSqrt((RowSums.SumOfSquares(x, center: 0) / x.Length) + epsilon);
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i, fill: 0) * Vector512.Create(factor) * Lanes.Load(scale, i, fill: 0), y, i);
        }
    }
}
