using HeadCluster.Diagnostics;
using HeadCluster.Grains;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Diagnostics;

public sealed class MetricTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Durations_of_heads_queues_and_layers_are_measured_by_layer_and_silo()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, NanoGpt.Model);
        using var measured = new Measurements<double>(cluster.Silos[0]);

        await cluster.Client.AttendAsync(NanoGpt.Name, 2, Matrices.Random(5, 48), Stop);

        Assert.Equal(3, measured.Of("headcluster.head.duration s nano-gpt 2").Count);
        Assert.Equal(3, measured.Of("headcluster.queue.duration s nano-gpt 2").Count);
        Assert.Single(measured.Of("headcluster.attention.duration s nano-gpt 2"));
        Assert.Equal(7, measured.All.Count);
        Assert.All(measured.All, measurement => Assert.True(measurement.Value >= 0));
    }

    [Fact]
    public async Task Generated_tokens_are_timed_and_the_logits_of_given_ones_are_not()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, NanoGpt.Model);
        using var measured = new Measurements<double>(cluster.Silos[0]);

        await cluster.Client.LogitsAsync(NanoGpt.Name, new[] { 2, 1, 0 }, Stop);
        Assert.Empty(measured.Of("headcluster.token.duration s nano-gpt"));
        await cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 2, 1, 0 }, steps: 4, Stop).CountAsync(Stop);

        Assert.Equal(4, measured.Of("headcluster.token.duration s nano-gpt").Count);
    }

    [Fact]
    public async Task The_heads_index_is_a_tag_if_asked_for()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, options => options.TagMetricsByHead = true, Stop);
        using var measured = new Measurements<double>(cluster.Silos[0]);

        await cluster.Client.AttendAsync("random:nano", 0, Matrices.Random(5, 48), Stop);

        var heads = measured.All.Where(measurement => measurement.Name.StartsWith("headcluster.head.duration", StringComparison.Ordinal));
        Assert.Equal([0, 1, 2], heads.Select(measurement => (int)measurement.Tags[HeadClusterTelemetry.HeadTag]!).Order());
    }

    [Fact]
    public async Task Bytes_that_travel_are_counted_once_each_way_between_two_silos_and_not_within_one()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var first = new Measurements<long>(cluster.Silos[0]);
        using var second = new Measurements<long>(cluster.Silos[1]);

        var result = await cluster.Client.AttendAsync(NanoGpt.Name, 1, Matrices.Random(5, 48), Stop);

        // x once, and z of the heads there, in float32.
        var remote = Assert.Single(result.Silos, silo => silo.Bytes > 0);
        Assert.Equal(sizeof(float) * 5 * (48 + (remote.Heads * 16)), remote.Bytes);
        var counted = Assert.Single(first.All.Concat(second.All));
        Assert.Equal(("headcluster.wire.io By nano-gpt", remote.Bytes), (counted.Name, counted.Value));
        Assert.Equal(remote.Silo.ToParsableString(), counted.Tags[HeadClusterTelemetry.PeerTag]);
    }

    [Fact]
    public async Task What_heads_keep_of_sequences_is_measured_in_bytes()
    {
        const string Model = "random:gpt2-small?layers=1&heads=2";
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var request = new AttentionRequest(Matrices.Random(8, 768));
        await cluster.Client.AttendAsync(Model, 0, request, Stop);
        using var measured = new Measurements<long>(cluster.Silos[0]);
        measured.Observe();

        await cluster.Client.AttendAsync(Model, 0, request with { Sequence = new CachedSequence(Guid.NewGuid(), Past: 0, Capacity: 64) }, Stop);
        measured.Observe();

        // 64 keys and values of two heads.
        Assert.Equal([0, sizeof(float) * 64 * 2 * (64 + 64)], measured.Of("headcluster.sequences.memory By"));
    }

    [Fact]
    public async Task Heads_are_counted_where_they_are_and_requests_while_they_are_served()
    {
        const string Model = "random:gpt2-small?layers=1&heads=2";
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var silo = cluster.Silos[0];
        await cluster.Client.AttendAsync(Model, 0, Matrices.Random(8, 768), Stop);
        using var measured = new Measurements<int>(silo);
        cluster.SlowSilo(silo, TimeSpan.FromDays(1));
        var request = cluster.Client.AttendAsync(Model, 0, Matrices.Random(8, 768), Stop);
        await cluster.WaitForComputationsAsync(silo, 1, Stop);

        measured.Observe();
        Assert.Equal([2], measured.Of($"headcluster.heads {{head}} {Model}"));
        Assert.Equal([1], measured.Of("headcluster.attention.active_requests {request}"));

        cluster.SlowSilo(silo, TimeSpan.Zero);
        await request;
        measured.Observe();
        Assert.Equal([1, 0], measured.Of("headcluster.attention.active_requests {request}"));
    }

    [Fact]
    public async Task What_is_asked_again_after_a_loss_is_counted()
    {
        const string Model = "random:gpt2-small?layers=1&heads=4";
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        var (kept, lost) = (cluster.Silos[0], cluster.Silos[1]);
        using (PlacementHint.On(kept))
        {
            await cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Model, 0).ToString()).PingHeadsAsync(Stop);
        }

        await cluster.PlaceHeadAsync(new HeadId(Model, 0, 3), lost);
        await cluster.Client.AttendAsync(Model, 0, Matrices.Random(8, 768), Stop);
        using var measured = new Measurements<long>(kept);

        await cluster.KillSiloAsync(lost);
        await cluster.Client.AttendAsync(Model, 0, Matrices.Random(8, 768), Stop);

        Assert.Equal([1L], measured.Of($"headcluster.retries {{request}} {Model} 0"));
    }

    [Fact]
    public async Task What_a_head_computed_that_went_away_meanwhile_is_not_asked_again()
    {
        const string Model = "random:gpt2-small?layers=1&heads=1";
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var silo = cluster.Silos[0];
        var x = Matrices.Random(8, 768);
        var expected = await cluster.Client.AttendAsync(Model, 0, x, Stop);
        using var measured = new Measurements<long>(silo);

        cluster.SlowSilo(silo, TimeSpan.FromDays(1));
        var attending = cluster.Client.AttendAsync(Model, 0, x, Stop);
        await cluster.WaitForComputationsAsync(silo, 1, Stop);
        await cluster.Grains.GetGrain<IWeightGrain>(GrainId.Create(AttentionHeadGrain.TypeName, new HeadId(Model, 0, 0).ToString())).ReleaseAsync();
        cluster.SlowSilo(silo, TimeSpan.Zero);

        var actual = await attending;
        Assert.Equal(expected.Output.Span, actual.Output.Span);
        Assert.Empty(measured.Of($"headcluster.retries {{request}} {Model} 0"));
    }

    [Fact]
    public async Task Failed_requests_of_a_layer_are_counted_by_kind_and_refused_and_cancelled_ones_are_not()
    {
        // Wide enough for a head to be computed by the pool: what is computed inline cannot be cancelled.
        const string Model = "random:gpt2-small?layers=1&heads=1";
        const string Errors = $"headcluster.attention.errors {{request}} {Model} 0";
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var silo = cluster.Silos[0];
        await AttendAsync(768, Stop);
        using var measured = new Measurements<long>(silo);

        cluster.SlowSilo(silo, TimeSpan.FromDays(1));
        using var cancellation = new CancellationTokenSource();
        var cancelled = AttendAsync(768, cancellation.Token);
        await cluster.WaitForComputationsAsync(silo, 1, Stop);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await cluster.WaitUntilIdleAsync(Stop);
        cluster.SlowSilo(silo, TimeSpan.Zero);
        await Assert.ThrowsAsync<HeadClusterException>(() => AttendAsync(767, Stop));
        Assert.Empty(measured.Of(Errors));

        cluster.FailNextComputation(silo, new InvalidOperationException("a defect"));
        await Assert.ThrowsAnyAsync<Exception>(() => AttendAsync(768, Stop));

        var error = Assert.Single(measured.All, measurement => measurement.Name == Errors);
        Assert.Equal((1L, nameof(HeadClusterErrorKind.Internal)), (error.Value, error.Tags[HeadClusterTelemetry.ErrorTag]));

        Task AttendAsync(int width, CancellationToken cancellationToken) =>
            cluster.Client.AttendAsync(Model, 0, Matrices.Random(8, width), cancellationToken);
    }

    [Fact]
    public void Moves_are_counted_with_whence_and_whither()
    {
        var here = Instruments.Silo(1);
        using var measured = new Measurements<long>(here);
        using var instruments = new Instruments(here);

        instruments.Heads.Moved(new HeadId("m", 1, 2), here, Instruments.Silo(2));

        var move = Assert.Single(measured.All);
        Assert.Equal(("headcluster.moves {head} m", 1L), (move.Name, move.Value));
        Assert.Equal(Instruments.Silo(2).ToParsableString(), move.Tags[HeadClusterTelemetry.PeerTag]);
    }
}
