using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HeadCluster.Models;

/// <summary>
/// Tells Linux of a part of a file that will be read in many small pieces: one that is not in memory yet then comes in large reads
/// instead of page by page.
/// </summary>
internal static class ReadAhead
{
    // POSIX_FADV_WILLNEED of posix_fadvise(2).
    private const int WillNeed = 3;

    // Linux fetches no more at a call, unless the disk is set so.
    private const long MostBytes = 128 * 1024;

    /// <summary>Begins to fetch a part of the file. It is an optimization: where it fails, reads take longer.</summary>
    public static void Begin(SafeFileHandle file, long first, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            for (var done = 0L; done < length; done += MostBytes)
            {
                _ = Advise(file, first + done, Math.Min(MostBytes, length - done), WillNeed);
            }
        }
    }

    [DllImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(SafeFileHandle file, long offset, long length, int advice);
}
