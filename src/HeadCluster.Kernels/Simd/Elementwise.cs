using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>A function of one value, applied to 16 lanes at a time.</summary>
internal interface IElementwise
{
    /// <summary>The function, lane by lane.</summary>
    static abstract Vector512<float> Invoke(Vector512<float> x);
}

/// <summary>The loop of element-wise functions: it owns lengths, overlap and the tail; the operation only knows lanes.</summary>
internal static class Elementwise
{
    /// <summary>destination[i] = f(source[i]); both may be the same span, but must not overlap in part.</summary>
    /// <exception cref="ArgumentException">The destination is too short or overlaps the source in part.</exception>
    [MethodImpl(Compile.Alone)]
    public static void Apply<TFunction>(ReadOnlySpan<float> source, Span<float> destination)
        where TFunction : struct, IElementwise
    {
        Check.AtLeast(destination.Length, source.Length, nameof(destination));
        Check.SameOrApart(source, destination[..source.Length], nameof(destination));

        destination = destination[..source.Length];
        for (var index = 0; index < source.Length; index += Lanes.Count)
        {
            Lanes.Store(TFunction.Invoke(Lanes.Load(source, index, fill: 0)), destination, index);
        }
    }
}
