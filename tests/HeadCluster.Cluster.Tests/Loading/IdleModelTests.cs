using HeadCluster.Testing;

namespace HeadCluster.Tests.Loading;

public sealed class IdleModelTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_that_nobody_asks_for_stays_loaded()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, NanoGpt.Model);
        await cluster.Client.LogitsAsync(NanoGpt.Name, new[] { 0, 1, 2 }, Stop);
        var management = cluster.Grains.GetGrain<IManagementGrain>(0);

        await management.ForceActivationCollection(TimeSpan.Zero, Stop);

        Assert.NotNull(await management.GetActivationAddress(cluster.Grains.GetGrain<ITransformerGrain>(NanoGpt.Name), Stop));
        for (var layer = 0; layer < 3; layer++)
        {
            var grain = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(new LayerId(NanoGpt.Name, layer).ToString());
            Assert.NotNull(await management.GetActivationAddress(grain, Stop));
        }

        Assert.Equal(9, (await cluster.FindHeadsAsync(Stop)).Count);
    }
}
