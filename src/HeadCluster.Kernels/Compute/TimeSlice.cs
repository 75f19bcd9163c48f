using System.Runtime.InteropServices;

namespace HeadCluster.Kernels;

/// <summary>
/// Tells Linux that a compute thread may wait: with a longer time slice its deadline is later, so that a thread that wakes up for a
/// socket, a timer or a liveness probe runs at once, even where every core computes. The thread's share of the processor stays
/// what it is, as a lower priority's would not. Since Linux 6.12 (earliest eligible virtual deadline first); without it, and
/// elsewhere, nothing changes but those waits.
/// </summary>
internal static class TimeSlice
{
    /// <summary>
    /// In nanoseconds. Longer than that of other threads, about 3 ms, so that these go first, and not much longer: what a thread takes
    /// at a stretch it waits for afterwards. On a core that three other programs keep busy, a layer takes four times as long with the
    /// longest slice there is, 100 ms.
    /// </summary>
    private const ulong Slice = 10_000_000;

    private const int ScheduleNormally = 0;

    /// <summary>Lengthens the calling thread's slice, where the system has such a thing.</summary>
    public static void Lengthen()
    {
        long? setAttributes = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 314,
            Architecture.Arm64 => 274,
            _ => null,
        };
        if (OperatingSystem.IsLinux() && setAttributes is { } number)
        {
            var attributes = new SchedulingAttributes
            {
                Size = (uint)Marshal.SizeOf<SchedulingAttributes>(),
                Policy = ScheduleNormally,
                Nice = GetPriority(which: 0, who: 0),
                Runtime = Slice,
            };

            // A kernel or a sandbox that does not take it leaves the thread as it was.
            _ = SetAttributes(number, thread: 0, ref attributes, flags: 0);
        }
    }

    // glibc has no function for sched_setattr(2) before 2.41; the C library's syscall(2) takes its number.
    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern long SetAttributes(long number, nint thread, ref SchedulingAttributes attributes, nuint flags);

    // What the process was given stays: setting attributes sets this one too.
    [DllImport("libc", EntryPoint = "getpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetPriority(int which, uint who);

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
