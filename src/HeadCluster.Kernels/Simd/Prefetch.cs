using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace HeadCluster.Kernels;

/// <summary>
/// Tells the CPU what will be read soon. It changes no result and faults nowhere; where there is no such instruction, it does
/// nothing.
/// </summary>
internal static class Prefetch
{
    /// <summary>A page, in bytes: where a CPU's own prefetching stops, so that a single run of memory waits for each next one.</summary>
    public const int Page = 4096;

    private const int LineBytes = 64;

    /// <summary>Asks for what lies some bytes behind these elements.</summary>
    /// <param name="first">An element.</param>
    /// <param name="at">Where these start, counted from it.</param>
    /// <param name="count">How many these are: whole lines of them.</param>
    /// <param name="distance">The bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Ahead<T>(ref readonly T first, nuint at, int count, int distance)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            // An address only, which is not read: it may lie behind the array's end, and a collection may move the array.
            var ahead = (byte*)Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in first), at)) + distance;
            for (var line = 0; line < count * sizeof(T); line += LineBytes)
            {
                Sse.Prefetch0(ahead + line);
            }
        }
    }

    /// <summary>Asks for some rows, to be read or written later: where they lie far apart, the CPU does not see what comes next.</summary>
    /// <param name="first">The first element, and every <paramref name="stride"/> elements the first of the next row.</param>
    /// <param name="stride">Elements from one row to the next.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="length">Elements of a row.</param>
    public static unsafe void Rows(ref readonly float first, int stride, int rows, int length)
    {
        if (Sse.IsSupported)
        {
            // Addresses only, as above.
            var row = (byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in first));
            for (var r = 0; r < rows; r++, row += (nint)stride * sizeof(float))
            {
                for (nint line = 0; line < length * sizeof(float); line += LineBytes)
                {
                    Sse.Prefetch0(row + line);
                }
            }
        }
    }

    /// <summary>Asks for the line of an element, into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Near<T>(ref readonly T first, nuint at)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            // An address only, as above.
            Sse.Prefetch0((T*)Unsafe.AsPointer(ref Unsafe.AsRef(in first)) + at);
        }
    }

    /// <summary>Asks for the line of an element, into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Far<T>(ref readonly T first, nuint at)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            // An address only, as above.
            Sse.Prefetch1((T*)Unsafe.AsPointer(ref Unsafe.AsRef(in first)) + at);
        }
    }
}
