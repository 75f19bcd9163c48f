using HeadCluster.Diagnostics;
using HeadCluster.Testing;
using HeadCluster.Tests.Diagnostics;

namespace HeadCluster.Tests.Relay;

public sealed class BusySiloTests
{
    private const string Model = "random:gpt2-small?layers=1&heads=1";

    private static readonly LayerId Layer = new(Model, 0);

    /// <summary>One request is all that may be under way, and one may always wait. Were none refused, it would not end.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Requests_to_a_silo_that_has_too_much_under_way_are_refused_as_busy_and_counted()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            2, options => (options.MaxInFlightBytesPerSilo, options.MaxWaitingBytesPerSilo) = (1 << 20, 0), stop);
        var (here, slow) = (cluster.Silos[0], cluster.Silos[1]);
        await cluster.PlaceHeadAsync(Layer.Head(0), slow);
        await cluster.PlaceCoordinatorAsync(Layer, here);
        var expected = await AttendAsync();
        using var measured = new Measurements<long>(here);
        cluster.SlowSilo(slow, TimeSpan.FromDays(1));
        var served = AttendAsync();
        await cluster.WaitForComputationsAsync(slow, 1, stop);

        // Whichever comes first waits.
        var more = new List<Task<AttentionResult>> { AttendAsync(), AttendAsync() };
        var refused = await Task.WhenAny(more);

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => refused);
        Assert.Equal((HeadClusterErrorKind.Busy, true), (error.Kind, error.RetryAfter > TimeSpan.Zero));
        Assert.Contains($"to silo {slow}", error.Message, StringComparison.Ordinal);
        var counted = Assert.Single(measured.All, measurement => measurement.Name == $"headcluster.attention.errors {{request}} {Model} 0");
        Assert.Equal((1L, nameof(HeadClusterErrorKind.Busy)), (counted.Value, counted.Tags[HeadClusterTelemetry.ErrorTag]));

        cluster.SlowSilo(slow, TimeSpan.Zero);
        more.Remove(refused);
        var answers = await Task.WhenAll([served, .. more]);
        Assert.All(answers, answer => Assert.Equal(expected.Output.Span, answer.Output.Span));

        // 1.2 MB there and back. Not by way of the client, which would send it again.
        Task<AttentionResult> AttendAsync() =>
            cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString()).AttendAsync(new AttentionRequest(Matrices.Random(200, 768)), stop);
    }
}
