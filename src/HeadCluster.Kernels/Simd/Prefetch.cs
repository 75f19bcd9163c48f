using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace HeadCluster.Kernels;

/// <summary>
/// Tells the CPU what will be read soon. It changes no result and faults nowhere; where there is no such instruction, it does
/// nothing.
/// </summary>
internal static class Prefetch
{
    private const int LineBytes = 64;
    private const int PageBytes = 4096;

    /// <summary>
    /// Asks for what lies one page behind these elements. A CPU's own prefetching stops at the end of each page, and a single
    /// run of memory waits there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PageAhead<T>(ref readonly T first, nuint at, int count)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            // An address only, which is not read: it may lie behind the array's end, and a collection may move the array.
            var page = (byte*)Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in first), at)) + PageBytes;
            for (var line = 0; line < count * sizeof(T); line += LineBytes)
            {
                Sse.Prefetch0(page + line);
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
