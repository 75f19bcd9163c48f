using System.Globalization;
using System.Runtime.InteropServices;

namespace HeadCluster.Kernels;

/// <summary>
/// Tells Linux that compute threads may wait and others of the process may not: of two threads that want a core, the one with the shorter
/// time slice has the earlier deadline, so that a thread that wakes up for a socket, a timer or a liveness probe runs at once, even where
/// every core computes. A thread's share of the processor stays what it is, as with another priority it would not. Since Linux 6.12
/// (earliest eligible virtual deadline first); without it, and elsewhere, nothing changes but those waits.
/// </summary>
internal static class TimeSlice
{
    /// <summary>
    /// Of compute threads, in nanoseconds. Longer than that of other programs, 1 to 3 ms, so that these go first, and not much longer: what a
    /// thread takes at a stretch it waits for afterwards. On a core that three other programs keep busy, a layer takes four times as long
    /// with the longest slice there is, 100 ms.
    /// </summary>
    private const ulong Long = 10_000_000;

    /// <summary>
    /// Of the process's other threads, in nanoseconds: the shortest there is. A worker of .NET's pool gives its turn away whenever it has
    /// run out of work, which costs it the rest of its slice (Linux 6.18), and with a usual one what comes next finds it waiting for
    /// milliseconds behind threads that compute.
    /// </summary>
    private const ulong Short = 100_000;

    private const uint ScheduleNormally = 0;

    // SCHED_FLAG_RESET_ON_FORK: a thread that this one starts has the system's usual slice. It would have its usual priority too, where that is
    // a lower one.
    private const ulong ResetOnFork = 1;

    /// <summary>
    /// Lengthens the calling thread's slice, and not those of threads that it starts: .NET's pool may start a worker on whichever thread gives
    /// it work.
    /// </summary>
    public static void Lengthen() => Set(thread: 0, Long, ResetOnFork);

    /// <summary>Shortens the slices of all threads that this process has now, but those that compute. Threads that they start inherit it.</summary>
    public static void ShortenAll()
    {
        // Not every sandbox has it.
        const string Threads = "/proc/self/task";
        if (OperatingSystem.IsLinux() && Directory.Exists(Threads))
        {
            foreach (var directory in Directory.EnumerateDirectories(Threads))
            {
                if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var thread))
                {
                    Set(thread, Short);
                }
            }
        }
    }

    // A kernel or a sandbox that does not take it leaves the thread as it was, as does one that has ended.
    private static void Set(int thread, ulong slice, ulong flags = 0)
    {
        (long Get, long Set)? calls = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (315, 314),
            Architecture.Arm64 => (275, 274),
            _ => null,
        };
        if (OperatingSystem.IsLinux() && calls is var (get, set))
        {
            // All else stays what it is: setting attributes sets the priority too.
            var size = (nuint)Marshal.SizeOf<SchedulingAttributes>();
            var attributes = default(SchedulingAttributes);
            if (CallSystem(get, thread, ref attributes, size, flags: 0) == 0 && attributes is { Policy: ScheduleNormally, Runtime: not Long })
            {
                // Where threads have no slices, or have been put before others, the flag could only take from those they start.
                attributes.Flags |= attributes is { Runtime: > 0, Nice: >= 0 } ? flags : 0;
                attributes.Runtime = slice;
                _ = CallSystem(set, thread, ref attributes, argument: 0, flags: 0);
            }
        }
    }

    // glibc has no functions for sched_getattr(2) and sched_setattr(2) before 2.41; the C library's syscall(2) takes their numbers. The
    // argument is the size of the attributes for the first and the flags for the second.
    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern long CallSystem(long number, nint thread, ref SchedulingAttributes attributes, nuint argument, nuint flags);

    // struct sched_attr of sched_setattr(2), first version.
    [StructLayout(LayoutKind.Sequential)]
    private struct SchedulingAttributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }
}
