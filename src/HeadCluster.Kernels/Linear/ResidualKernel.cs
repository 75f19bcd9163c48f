using System.Runtime.CompilerServices;

namespace HeadCluster.Kernels;

/// <summary>The residual connection: x += y.</summary>
public static class ResidualKernel
{
    /// <summary>Adds y to x.</summary>
    /// <param name="y">As long as <paramref name="x"/>.</param>
    /// <param name="x">The residual stream; may not overlap y in part.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the spans overlap in part.</exception>
    [MethodImpl(Compile.Alone)]
    public static void Add(ReadOnlySpan<float> y, Span<float> x)
    {
        if (y.Length != x.Length)
        {
            throw new ArgumentException($"{y.Length} elements to add to {x.Length}", nameof(y));
        }

        Check.SameOrApart(y, x, nameof(x));
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i, fill: 0) + Lanes.Load(y, i, fill: 0), x, i);
        }
    }
}
