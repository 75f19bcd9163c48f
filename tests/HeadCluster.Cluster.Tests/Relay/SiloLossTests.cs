using HeadCluster.Testing;

namespace HeadCluster.Tests.Relay;

/// <summary>Promise 5: a silo that is lost costs time, and neither the request nor a bit of its answer.</summary>
public sealed class SiloLossTests
{
    private const string Model = "random:gpt2-small?layers=1&heads=4&kv_heads=4";
    private const int Heads = 4;

    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);
    private static readonly LayerId Layer = new(Model, 0);
    private static readonly FloatTensor Input = Matrices.Random(8, 768);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_whose_heads_are_lost_is_finished_elsewhere_with_the_same_bits()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3, options => options.ComputeThreads = Heads, Stop);
        await PlaceAsync(cluster, coordinator: cluster.Silos[0]);
        var expected = await cluster.Client.AttendAsync(Model, 0, Input, Stop);
        var doomed = cluster.Silos[1];
        cluster.SlowSilo(doomed, Forever);
        var request = cluster.Client.AttendAsync(Model, 0, Input, Stop);
        await cluster.WaitForComputationsAsync(doomed, Heads / 2, Stop);

        await cluster.KillSiloAsync(doomed);

        var actual = await request;
        Assert.Equal(expected.Output.Span, actual.Output.Span);
        Assert.DoesNotContain(actual.Heads, head => head.Silo.Equals(doomed));
    }

    [Fact]
    public async Task Request_that_comes_after_a_silo_was_lost_is_served_elsewhere()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3);
        await PlaceAsync(cluster, coordinator: cluster.Silos[0]);
        var expected = await cluster.Client.AttendAsync(Model, 0, Input, Stop);

        await cluster.KillSiloAsync(cluster.Silos[1]);

        var actual = await cluster.Client.AttendAsync(Model, 0, Input, Stop);
        Assert.Equal(expected.Output.Span, actual.Output.Span);
    }

    [Fact]
    public async Task Request_whose_coordinator_is_lost_is_sent_again()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3, options => options.ComputeThreads = Heads, Stop);
        await PlaceAsync(cluster, coordinator: cluster.Silos[2]);
        var expected = await cluster.Client.AttendAsync(Model, 0, Input, Stop);
        cluster.SlowSilo(cluster.Silos[1], Forever);
        var request = cluster.Client.AttendAsync(Model, 0, Input, Stop);
        await cluster.WaitForComputationsAsync(cluster.Silos[1], Heads / 2, Stop);

        await cluster.KillSiloAsync(cluster.Silos[2]);
        cluster.SlowSilo(cluster.Silos[1], TimeSpan.Zero);

        var actual = await request;
        Assert.Equal(expected.Output.Span, actual.Output.Span);
    }

    [Fact]
    public async Task Request_that_is_sent_twice_is_computed_once()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, options => options.ComputeThreads = Heads, Stop);
        var coordinator = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString());
        await coordinator.AttendAsync(new AttentionRequest(Input), Stop);
        cluster.SlowSilo(cluster.Silos[0], Forever);
        var request = new AttentionRequest(Input, Id: Guid.NewGuid());
        using var impatience = new CancellationTokenSource();
        Task<AttentionResult>[] calls = [coordinator.AttendAsync(request, impatience.Token), coordinator.AttendAsync(request, Stop)];
        await cluster.WaitForComputationsAsync(cluster.Silos[0], Heads, Stop);
        Assert.True(await coordinator.IsServingAsync(request.Id, Stop));
        Assert.False(await coordinator.IsServingAsync(Guid.NewGuid(), Stop));

        cluster.SlowSilo(cluster.Silos[0], TimeSpan.Zero);

        var answers = await Task.WhenAll(calls);
        Assert.Equal(answers[0].Output.Span, answers[1].Output.Span);
        Assert.False(await coordinator.IsServingAsync(request.Id, Stop));
        var head = await cluster.Grains.GetGrain<IAttentionHeadGrain>(Layer.Head(0).ToString()).GetStatisticsAsync(Stop);
        Assert.Equal(2, head.Requests);
    }

    [Fact]
    public async Task Caller_who_gives_up_does_not_take_the_answer_from_another_of_the_same_request()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, options => options.ComputeThreads = Heads, Stop);
        var coordinator = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString());
        var expected = await coordinator.AttendAsync(new AttentionRequest(Input), Stop);
        cluster.SlowSilo(cluster.Silos[0], Forever);
        var request = new AttentionRequest(Input, Id: Guid.NewGuid());
        using var impatience = new CancellationTokenSource();
        var first = coordinator.AttendAsync(request, impatience.Token);
        await cluster.WaitForComputationsAsync(cluster.Silos[0], Heads, Stop);
        var second = coordinator.AttendAsync(request, Stop);
        Assert.True(await coordinator.IsServingAsync(request.Id, Stop));

        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        cluster.SlowSilo(cluster.Silos[0], TimeSpan.Zero);

        var actual = await second;
        Assert.Equal(expected.Output.Span, actual.Output.Span);
    }

    // Heads 0 and 2 on the first silo, 1 and 3 on the second.
    private static async Task PlaceAsync(HeadClusterTestCluster cluster, SiloAddress coordinator)
    {
        for (var head = 0; head < Heads; head++)
        {
            await cluster.PlaceHeadAsync(Layer.Head(head), cluster.Silos[head % 2]);
        }

        await cluster.PlaceCoordinatorAsync(Layer, coordinator);
    }
}
