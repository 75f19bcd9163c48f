using HeadCluster.Testing;

namespace HeadCluster.Tests.Placement;

public sealed class HeadPlacementTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task The_heads_of_each_layer_are_spread_evenly(int silos)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(silos);
        await AttendAllLayersAsync(cluster);

        var heads = await cluster.FindHeadsAsync(TestContext.Current.CancellationToken);
        Assert.Equal(9, heads.Count);
        Assert.All(heads.GroupBy(head => head.Key.Layer, head => head.Value), layer =>
        {
            var loads = layer.GroupBy(silo => silo).Select(silo => silo.Count()).ToArray();
            Assert.Equal(Math.Min(silos, 3), loads.Length);
            Assert.InRange(loads.Max() - loads.Min(), 0, 1);
        });
    }

    [Fact]
    public async Task A_head_goes_where_it_is_put_and_stays()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3);
        var head = new HeadId("random:nano", 1, 2);
        foreach (var silo in cluster.Silos)
        {
            await cluster.PlaceHeadAsync(head, silo);
            await AttendAllLayersAsync(cluster);
            Assert.Equal(silo, (await cluster.FindHeadsAsync(TestContext.Current.CancellationToken))[head]);
        }
    }

    [Fact]
    public async Task A_new_silo_gets_heads_that_are_activated_after_it_came()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var silo = await cluster.AddSiloAsync();
        await AttendAllLayersAsync(cluster);

        var heads = await cluster.FindHeadsAsync(TestContext.Current.CancellationToken);
        Assert.Contains(silo, heads.Values);
        Assert.Equal(2, cluster.Silos.Count);
    }

    [Fact]
    public async Task Heads_come_back_elsewhere_when_their_silo_stops()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3);
        await AttendAllLayersAsync(cluster);

        var stopped = cluster.Silos[1];
        await cluster.StopSiloAsync(stopped);
        await AttendAllLayersAsync(cluster);

        var heads = await cluster.FindHeadsAsync(TestContext.Current.CancellationToken);
        Assert.Equal(9, heads.Count);
        Assert.DoesNotContain(stopped, heads.Values);
    }

    private static async Task AttendAllLayersAsync(HeadClusterTestCluster cluster)
    {
        for (var layer = 0; layer < 3; layer++)
        {
            await cluster.Client.AttendAsync("random:nano", layer, Matrices.Random(3, 48), TestContext.Current.CancellationToken);
        }
    }
}
