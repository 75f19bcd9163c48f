using HeadCluster.Testing;
using HeadCluster.Tests.Diagnostics;

namespace HeadCluster.Tests.Status;

public sealed class HeadStatisticsTests
{
    private const string Model = "random:gpt2-small?layers=1";

    private const int MostRequests = 60;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Statistics_count_requests_rows_and_bytes_of_each_head_since_it_was_activated()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        var before = TimeProvider.System.GetUtcNow();
        await cluster.Client.AttendAsync(NanoGpt.Name, 1, Matrices.Random(11, 48), Stop);
        await cluster.Client.AttendAsync(NanoGpt.Name, 1, Matrices.Random(4, 48), Stop);
        await cluster.Client.AttendAsync("random:nano", 0, Matrices.Random(4, 48), Stop);

        var heads = await cluster.Client.GetHeadStatisticsAsync(NanoGpt.Name, Stop);

        Assert.Equal([0, 1, 2], heads.Select(head => head.Head.KvHead));
        Assert.All(heads, head =>
        {
            Assert.Equal((NanoGpt.Name, 1), (head.Head.Model, head.Head.Layer));
            Assert.Equal((2, 15, 15L * 16 * sizeof(float)), (head.Requests, head.Rows, head.OutputBytes));
            Assert.InRange(head.Since, before, TimeProvider.System.GetUtcNow());
            foreach (var part in new[] { head.Total, head.Queue, head.Project, head.Attend })
            {
                Assert.True(part.P50 <= part.P99 && part.P99 <= part.Max && part.Recent <= part.Max);
            }

            Assert.True(head.Total.Max <= head.Queue.Max + head.Project.Max + head.Attend.Max);
            Assert.True(head.Total.Recent > TimeSpan.Zero);
        });
        Assert.Equal(6, (await cluster.Client.GetHeadStatisticsAsync(cancellationToken: Stop)).Count);
        Assert.Empty(await cluster.Client.GetHeadStatisticsAsync("none", Stop));
        await Refusal.OfAsync(() => cluster.Client.GetHeadStatisticsAsync("a/b", Stop), "not the name of a model");
    }

    [Fact]
    public async Task With_one_silo_slowed_statistics_and_metrics_name_the_heads_there_as_the_slow_ones()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3, options => options.TagMetricsByHead = true, Stop);
        for (var request = 0; request < 20; request++)
        {
            // The first are slow everywhere, since everything is new.
            await cluster.Client.AttendAsync(Model, 0, Matrices.Random(16, 768), Stop);
        }

        var slow = cluster.Silos[1];
        var measured = cluster.Silos.Select(silo => new Measurements<double>(silo)).ToArray();
        try
        {
            cluster.SlowSilo(slow, TimeSpan.FromMilliseconds(200));

            // A busy machine may hold up any head for once, so that averages take longer to tell; the slow ones are held up each time.
            int[] there = [], slowest = [];
            for (var request = 0; request < 5 || (request < MostRequests && !slowest.SequenceEqual(there)); request++)
            {
                await cluster.Client.AttendAsync(Model, 0, Matrices.Random(16, 768), Stop);
                var heads = await cluster.Client.GetHeadStatisticsAsync(Model, Stop);
                there = [.. heads.Where(head => head.Silo.Equals(slow)).Select(head => head.Head.KvHead).Order()];
                slowest = [.. heads.OrderByDescending(head => head.Total.Recent).Take(4).Select(head => head.Head.KvHead).Order()];
            }

            Assert.Equal(4, there.Length);
            Assert.Equal(there, slowest);
            Assert.Equal(there, Slowest(measured, "headcluster.queue.duration").Order());
        }
        finally
        {
            Array.ForEach(measured, one => one.Dispose());
        }
    }

    // The four heads of which a metric never says less than so much.
    private static IEnumerable<int> Slowest(Measurements<double>[] measured, string name) => measured
        .SelectMany(one => one.All)
        .Where(measurement => measurement.Name.StartsWith(name, StringComparison.Ordinal))
        .GroupBy(measurement => (int)measurement.Tags[HeadCluster.Diagnostics.HeadClusterTelemetry.HeadTag]!, measurement => measurement.Value)
        .OrderByDescending(head => head.Min())
        .Take(4)
        .Select(head => head.Key);
}
