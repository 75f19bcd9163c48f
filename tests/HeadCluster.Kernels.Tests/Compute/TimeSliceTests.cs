using System.Runtime.InteropServices;

namespace HeadCluster.Kernels.Tests.Compute;

public sealed class TimeSliceTests
{
    // sched_getattr(2) on x64 and Arm64, and where its 48 bytes have what is asked for here.
    private const int OnX64 = 315, OnArm64 = 275, Bytes = 48, NiceAt = 16, SliceAt = 24;

    [Fact]
    public async Task Thread_that_a_compute_thread_starts_does_not_have_its_long_time_slice()
    {
        var (longest, own, ofThread) = (TimeSpan.FromMilliseconds(10), (TimeSpan?)null, (TimeSpan?)null);
        using var pool = new ComputePool(1);
        await pool.RunAsync(
            ComputePool.InlineOperations,
            _ =>
            {
                own = OfCallingThread();
                var started = new Thread(() => ofThread = OfCallingThread());
                started.Start();
                started.Join();
            },
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.SkipUnless(own == longest, $"threads have no time slices of their own here, or this process is put before others: {own}");
        Assert.NotNull(ofThread);
        Assert.InRange(ofThread.Value, TimeSpan.FromTicks(1), longest - TimeSpan.FromTicks(1));
    }

    // Null where it cannot be had: another system, a sandbox, a process whose priority is raised, which threads are then to inherit.
    private static TimeSpan? OfCallingThread()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            return null;
        }

        var attributes = new byte[Bytes];
        var number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? OnX64 : OnArm64;
        return CallSystem(number, thread: 0, attributes, Bytes, flags: 0) != 0 || BitConverter.ToInt32(attributes, NiceAt) < 0
            ? null
            : TimeSpan.FromMicroseconds(BitConverter.ToUInt64(attributes, SliceAt) / 1000.0);
    }

    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern long CallSystem(long number, nint thread, byte[] attributes, nuint size, nuint flags);
}
