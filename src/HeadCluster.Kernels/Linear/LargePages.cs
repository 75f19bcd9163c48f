using System.Runtime.InteropServices;

namespace HeadCluster.Kernels;

/// <summary>
/// Has Linux keep weights in pages of 2 MiB: a product goes through so many of 4 KiB that finding them takes 2 % of its time at 128 rows,
/// in a virtual machine. Since Linux 6.1; without it, and elsewhere, they stay where they are.
/// </summary>
/// <remarks>
/// What else lies in the same pages moves with the weights, by the kernel and unseen. Neighbouring memory that is given back later takes a
/// page apart again.
/// </remarks>
internal static class LargePages
{
    private const nint PageBytes = 2 * 1024 * 1024;

    /// <summary>Smaller arrays are moved by the collector, and are few pages.</summary>
    private const nint LeastBytes = 128 * 1024;

    // MADV_COLLAPSE of madvise(2): gathers what is there into a page at once, and fails where a part of it is not mapped.
    private const int Collapse = 25;

    private static readonly bool AreAllowed = OperatingSystem.IsLinux() && ReadAllowed();

    /// <summary>Moves an array to large pages, as far as they get filled by it and by what lies beside it.</summary>
    /// <param name="values">The array, all of it written.</param>
    /// <returns>How many large pages it lies in now, whole or in part.</returns>
    public static unsafe int Use<T>(T[] values)
        where T : unmanaged
    {
        var pages = 0;
        var bytes = (nint)values.Length * sizeof(T);
        if (AreAllowed && bytes >= LeastBytes)
        {
            fixed (T* first = values)
            {
                for (var page = (nint)first / PageBytes * PageBytes; page < (nint)first + bytes; page += PageBytes)
                {
                    pages += Advise(page, (nuint)PageBytes, Collapse) == 0 ? 1 : 0;
                }
            }
        }

        return pages;
    }

    // Whoever runs the machine may have turned them off, which the call alone would not heed.
    private static bool ReadAllowed()
    {
        try
        {
            return !File.ReadAllText("/sys/kernel/mm/transparent_hugepage/enabled").Contains("[never]", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(nint address, nuint length, int advice);
}
