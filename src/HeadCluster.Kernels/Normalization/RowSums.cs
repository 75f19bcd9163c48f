using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>Sums over a row: element i is summed in lane i mod 16, and the lanes by the fixed tree.</summary>
internal static class RowSums
{
    /// <summary>Σ x[i].</summary>
    [MethodImpl(Compile.Alone)]
    public static float Sum(ReadOnlySpan<float> x)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            sum += Lanes.Load(x, i, fill: 0);
        }

        return Lanes.SumTree(sum);
    }

    /// <summary>Σ (x[i] − center)².</summary>
    [MethodImpl(Compile.Alone)]
    public static float SumOfSquares(ReadOnlySpan<float> x, float center)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            // Lanes beyond the row hold the center, and so add nothing.
            var difference = Lanes.Load(x, i, fill: center) - Vector512.Create(center);
            sum = Vector512.FusedMultiplyAdd(difference, difference, sum);
        }

        return Lanes.SumTree(sum);
    }
}
