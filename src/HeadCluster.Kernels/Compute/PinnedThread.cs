using System.Globalization;
using System.Runtime.InteropServices;

namespace HeadCluster.Kernels;

/// <summary>
/// Keeps a thread on one processor (Linux). The busier processors are, the less the scheduler looks for an idle one when a thread wakes: two
/// threads that wake at once may then share a processor beside an idle one, for milliseconds, and at times for good.
/// </summary>
internal static class PinnedThread
{
    // Processors that a mask has room for, as many as Linux has at most.
    private const int MostProcessors = 8192;

    private const int MaskBytes = MostProcessors / 8;
    private const int BitsOfWord = 64;

    /// <summary>
    /// Keeps the calling thread on one of those processors that it may use now. Where that cannot be had, in a sandbox or on another
    /// system, it goes on where it is put; so too where the process may use more processors than a quota, which .NET rounds up to whole ones,
    /// grants it the time of, since others with a quota would keep to the same ones.
    /// </summary>
    /// <param name="thread">
    /// The thread's number, from 0 on. The first ones have a core each (<see cref="OneOfEachCoreFirst"/>); threads beyond the number of
    /// processors begin with the first again.
    /// </param>
    public static void Stay(int thread)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // Bit i is processor i. A shift by more than a word has bits is by what is left beyond whole words.
        var mask = new ulong[MostProcessors / BitsOfWord];
        if (GetAffinity(thread: 0, MaskBytes, mask) < 0)
        {
            return;
        }

        var processors = Enumerable.Range(0, MostProcessors).Where(processor => (mask[processor / BitsOfWord] >> processor & 1) != 0).ToArray();
        if (processors.Length == 0 || processors.Length > Environment.ProcessorCount)
        {
            return;
        }

        var own = OneOfEachCoreFirst(processors, Siblings)[thread % processors.Length];
        Array.Clear(mask);
        mask[own / BitsOfWord] = 1UL << own;
        _ = SetAffinity(thread: 0, MaskBytes, mask);
    }

    /// <summary>
    /// Processors in the order in which threads take them: one of each core, then another of each, so that no two threads share a core beside
    /// one that nobody uses.
    /// </summary>
    /// <param name="processors">Their numbers, ascending.</param>
    /// <param name="siblings">What all processors of a core have in common and none of another core has; null where that is not known.</param>
    internal static int[] OneOfEachCoreFirst(int[] processors, Func<int, string?> siblings) =>
    [
        .. processors
            .GroupBy(processor => siblings(processor) ?? processor.ToString(CultureInfo.InvariantCulture))
            .SelectMany(core => core.Index())
            .OrderBy(sibling => sibling.Index)
            .Select(sibling => sibling.Item),
    ];

    // The processors of a processor's core, as Linux lists them. Not every sandbox has it.
    private static string? Siblings(int processor)
    {
        try
        {
            return File.ReadAllText($"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetAffinity(int thread, nuint bytes, [Out] ulong[] mask);

    [DllImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetAffinity(int thread, nuint bytes, ulong[] mask);
}
