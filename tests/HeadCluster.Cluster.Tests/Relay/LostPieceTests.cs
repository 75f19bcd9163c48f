using HeadCluster.Grains;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Relay;

public sealed class LostPieceTests
{
    private const string Model = "random:gpt2-small?layers=1";

    // Without the wait for what is lost it would not end.
    [Fact(Timeout = 60_000)]
    public async Task Outputs_that_were_sent_before_a_reply_and_do_not_come_are_asked_for_again()
    {
        var stop = TestContext.Current.CancellationToken;
        var lost = 0;
        await using var cluster = await BareCluster.StartAsync(2, silo => silo.AddIncomingGrainCallFilter(call =>
            call.MethodName == nameof(IHeadRelay.BringAsync) && Interlocked.Exchange(ref lost, 1) == 0 ? Task.CompletedTask : call.Invoke()));
        var layer = new LayerId(Model, 0);
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        for (var head = 0; head < 12; head++)
        {
            using var there = PlacementHint.On(silos[1]);
            await cluster.Client.GetGrain<IAttentionHeadGrain>(layer.Head(head).ToString()).LocateAsync(stop);
        }

        // 256 KB a head, so that not all goes with the reply.
        var request = new AttentionRequest(Matrices.Random(1000, 768));
        AttentionResult actual;
        using (PlacementHint.On(silos[0]))
        {
            actual = await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(layer.ToString()).AttendAsync(request, stop);
        }

        await using var one = await HeadClusterTestCluster.StartAsync(1);
        Assert.Equal((await one.Client.AttendAsync(Model, 0, request, stop)).Output.Span, actual.Output.Span);
        Assert.Equal(1, lost);
        Assert.Equal(silos[1], Assert.Single(actual.Silos).Silo);
    }
}
