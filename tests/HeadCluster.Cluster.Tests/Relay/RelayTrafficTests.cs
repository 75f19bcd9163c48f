using HeadCluster.Hosting;
using HeadCluster.Tests.Diagnostics;

namespace HeadCluster.Tests.Relay;

public sealed class RelayTrafficTests
{
    private const string Model = "random:gpt2-small?layers=1";
    private const int ModelDim = 768;
    private const int HeadDim = 64;
    private const int Heads = 12;

    private static readonly LayerId Layer = new(Model, 0);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>One message each way, then x in blocks and z in pieces, then z in blocks as well.</summary>
    [Theory]
    [InlineData(WirePrecision.Float32, 4, 1, 7)]
    [InlineData(WirePrecision.Float32, 4, 1, 1000)]
    [InlineData(WirePrecision.Float32, 4, 9, 1000)]
    [InlineData(WirePrecision.BFloat16, 2, 1, 7)]
    [InlineData(WirePrecision.BFloat16, 2, 1, 1000)]
    [InlineData(WirePrecision.BFloat16, 2, 9, 1000)]
    public async Task What_travels_is_x_once_a_silo_and_z_once_as_is_reported_and_measured(WirePrecision precision, int bytesPerElement, int sequences, int length)
    {
        var traffic = new RelayTraffic();
        await using var cluster = await BareCluster.StartAsync(2, silo =>
        {
            silo.AddHeadCluster(options => options.WirePrecision = precision);
            silo.AddOutgoingGrainCallFilter(traffic.CountAsync);
        });
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        for (var head = 0; head < Heads; head++)
        {
            await cluster.Client.GetGrain<IHeadSchedulerGrain>(Model).MoveAsync(Layer.Head(head), silos[1], Stop);
        }

        var coordinator = cluster.Client.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString());
        using (PlacementHint.On(silos[0]))
        {
            await coordinator.PingHeadsAsync(Stop);
        }

        using var measured = new Measurements<long>(silos[0]);
        var before = traffic.Bytes;
        var rows = sequences * length;

        var answer = await coordinator.AttendAsync(new AttentionRequest(Matrices.Random(rows, ModelDim), [.. Enumerable.Repeat(length, sequences)]), Stop);

        Assert.Equal((long)bytesPerElement * rows * (ModelDim + (Heads * HeadDim)), traffic.Bytes - before);
        Assert.Equal(traffic.Bytes - before, Assert.Single(answer.Silos).Bytes);
        Assert.Equal([traffic.Bytes - before], measured.Of($"headcluster.wire.io By {Model}"));
    }
}
