using HeadCluster.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>A head that moves serves throughout, and nobody sees a bit of it.</summary>
public sealed class MoveTests
{
    private const string Model = "random:gpt2-small?layers=1&heads=4&kv_heads=4";
    private const int Heads = 4;

    private static readonly LayerId Layer = new(Model, 0);
    private static readonly FloatTensor Input = Matrices.Random(24, 768);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Heads_that_move_under_load_lose_no_request_and_change_no_bit()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3);
        var silos = cluster.Silos;
        await using var load = await ServedLoad.StartAsync(cluster, Layer, Input, Stop);
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 100; i++)
        {
            var head = Layer.Head(i % Heads);
            var before = (await cluster.FindHeadsAsync(Stop))[head];
            var to = silos[(silos.ToList().IndexOf(before) + 1 + (i / Heads % 2)) % silos.Count];
            var move = await cluster.Client.Scheduler.MoveAsync(head, to, Stop);
            Assert.Equal((head, before, to), (move.Head, move.From, move.To));
            Assert.Equal(to, (await cluster.FindHeadsAsync(Stop))[head]);
            slowest = move.Elapsed > slowest ? move.Elapsed : slowest;
        }

        await load.DisposeAsync();
        TestContext.Current.SendDiagnosticMessage($"{load.Answers} answers, longest gap {load.LongestGap.TotalMilliseconds:0} ms, slowest move {slowest.TotalMilliseconds:0} ms");
        Assert.Equal(0, load.Wrong);
        Assert.True(load.Answers > 100, $"{load.Answers} answers");
    }

    [Fact]
    public async Task Coordinators_of_a_model_that_are_on_several_silos_are_brought_together()
    {
        const string Nano = "random:nano";
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        foreach (var layer in Enumerable.Range(0, 3))
        {
            await cluster.PlaceCoordinatorAsync(new LayerId(Nano, layer), cluster.Silos[layer / 2]);
        }

        await cluster.Client.Scheduler.ApplyAsync(Nano, cancellationToken: Stop).LastOrDefaultAsync(Stop);

        var layers = Enumerable.Range(0, 3).Select(layer => cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Nano, layer).ToString()));
        var management = cluster.Grains.GetGrain<IManagementGrain>(0);
        var places = await Task.WhenAll(layers.Select(layer => management.GetActivationAddress(layer).AsTask()));
        Assert.Single(places.Distinct());
    }

    [Fact]
    public async Task A_head_moves_back_as_soon_as_it_has_come()
    {
        // Its weights are packed in no time, so that it comes back while Orleans still takes its leave of it.
        const string Small = "random:nano";
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        for (var i = 0; i < 200; i++)
        {
            var move = await cluster.Client.Scheduler.MoveAsync(new HeadId(Small, 0, 0), cluster.Silos[i % 2], Stop);
            Assert.Equal((cluster.Silos[i % 2], i > 0), (move.To, move.From is not null));

            // Where Orleans ignores that it comes back, it hangs until Orleans gives up after 30 s.
            Assert.InRange(move.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        }
    }
}
