using HeadCluster.Kernels;
using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

public sealed class CalibrationTests
{
    private const int Competitors = 3;

    [Fact]
    public async Task What_a_thread_does_for_a_while_is_less_where_others_keep_its_processor_busy()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads are kept on one processor in the way of Linux");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        // Each of one thread, on the first processor.
        using var pool = new ComputePool(1, pinned: true);
        int[] allowed = [];
        await pool.RunAsync(ComputePool.InlineOperations, _ => allowed = ThreadProcessors.Allowed(), cancellationToken: stop.Token);
        Assert.SkipWhen(allowed.Length > 1, "a quota grants this process fewer processors than it may use, so that threads are not kept on one");
        var others = Enumerable.Range(0, Competitors).Select(_ => new ComputePool(1, pinned: true)).ToList();
        var alone = (await Calibration.MeasureAsync(pool, TimeProvider.System)).OperationsPerSecond;
        var busy = others.Select(other => other.RunAsync(ComputePool.InlineOperations, Spin, cancellationToken: CancellationToken.None)).ToList();

        var shared = await Calibration.SustainAsync(pool, TimeProvider.System, TimeSpan.FromSeconds(0.4));

        await stop.CancelAsync();
        await Task.WhenAll(busy);
        others.ForEach(other => other.Dispose());

        // A quarter is its share, and somewhat more at first.
        Assert.InRange(shared, double.Epsilon, alone / 2);

        void Spin(CancellationToken cancellationToken)
        {
            while (!stop.IsCancellationRequested)
            {
                Thread.SpinWait(100);
            }
        }
    }
}
