using System.Text.RegularExpressions;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Attention;

public sealed class CancellationTests
{
    // Wide enough for a head to be computed by the pool and not inline.
    private const string Model = "random:gpt2-small?layers=1&heads=4&kv_heads=4";

    private const int Heads = 4;

    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);

    private static readonly FloatTensor Input = Matrices.Random(8, 768);

    [Fact]
    public async Task Cancelling_a_request_stops_all_of_its_heads()
    {
        await using var cluster = await StartAsync();
        SlowAll(cluster, Forever);
        using var cancellation = new CancellationTokenSource();
        var request = cluster.Client.AttendAsync(Model, 0, Input, cancellation.Token);
        await AllHeadsRunAsync(cluster);
        Assert.Equal(Heads, cluster.RunningComputations);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await cluster.WaitUntilIdleAsync(TestContext.Current.CancellationToken);

        // Each was begun, and stopped by its kernel: nothing else looks at the token any more.
        Assert.Equal(Heads, cluster.InterruptedComputations);
        SlowAll(cluster, TimeSpan.Zero);
        await cluster.Client.AttendAsync(Model, 0, Input, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_head_that_fails_cancels_its_siblings_and_says_who_failed_where()
    {
        await using var cluster = await StartAsync();
        SlowAll(cluster, Forever);
        var request = cluster.Client.AttendAsync(Model, 0, Input, TestContext.Current.CancellationToken);
        await AllHeadsRunAsync(cluster);

        cluster.FailNextComputation(cluster.Silos[1], new InvalidOperationException("a defect"));
        cluster.SlowSilo(cluster.Silos[1], TimeSpan.Zero);

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => request);
        Assert.Equal(HeadClusterErrorKind.Internal, error.Kind);
        Assert.Matches(
            $@"^head {Regex.Escape(Model)}/0/[13] asked by silo \S+ failed after \d+\.\d+ s, with heads \[[13]?\] pending: a defect$", error.Message);
        await cluster.WaitUntilIdleAsync(TestContext.Current.CancellationToken);

        // The two of the other silo, and the failed one's neighbour unless that had ended.
        Assert.InRange(cluster.InterruptedComputations, 2, 3);
    }

    [Fact]
    public async Task Requests_that_wait_behind_a_cancelled_one_are_never_begun()
    {
        await using var cluster = await StartAsync();
        var head = cluster.Grains.GetGrain<IAttentionHeadGrain>(new HeadId(Model, 0, 0).ToString());
        var silo = (await head.GetStatisticsAsync(TestContext.Current.CancellationToken)).Silo;
        SlowAll(cluster, Forever);
        using var cancellation = new CancellationTokenSource();
        var requests = Enumerable.Range(0, 5).Select(_ => head.AttendAsync(new HeadRequest(Input, [8]), cancellation.Token)).ToArray();
        await cluster.WaitForComputationsAsync(silo, 1, TestContext.Current.CancellationToken);

        await cancellation.CancelAsync();

        foreach (var request in requests)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        }

        await cluster.WaitUntilIdleAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, cluster.InterruptedComputations);
        Assert.Equal(1, (await head.GetStatisticsAsync(TestContext.Current.CancellationToken)).Requests);
    }

    // Two silos with two heads each, all of them loaded, and the coordinator on the first.
    private static async Task<HeadClusterTestCluster> StartAsync()
    {
        var cluster = await HeadClusterTestCluster.StartAsync(2, options => options.ComputeThreads = Heads, TestContext.Current.CancellationToken);
        for (var head = 0; head < Heads; head++)
        {
            await cluster.PlaceHeadAsync(new HeadId(Model, 0, head), cluster.Silos[head % 2]);
        }

        await cluster.PlaceCoordinatorAsync(new LayerId(Model, 0), cluster.Silos[0]);
        await cluster.Client.AttendAsync(Model, 0, Input, TestContext.Current.CancellationToken);
        return cluster;
    }

    private static Task AllHeadsRunAsync(HeadClusterTestCluster cluster) => Task.WhenAll(
        cluster.Silos.Select(silo => cluster.WaitForComputationsAsync(silo, Heads / 2, TestContext.Current.CancellationToken)));

    private static void SlowAll(HeadClusterTestCluster cluster, TimeSpan delay)
    {
        foreach (var silo in cluster.Silos)
        {
            cluster.SlowSilo(silo, delay);
        }
    }
}
