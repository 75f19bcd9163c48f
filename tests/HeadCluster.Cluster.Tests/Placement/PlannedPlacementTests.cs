using HeadCluster.Client;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace HeadCluster.Tests.Placement;

/// <summary>A plan holds for what is activated after it was made, whichever silo is asked.</summary>
public sealed class PlannedPlacementTests
{
    private const string Model = "random:nano";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_back_comes_where_the_plan_says()
    {
        await using var cluster = await StartAsync();
        var silos = Silos(cluster);
        foreach (var asking in silos)
        {
            Assert.Equal((silos[0], silos[2]), await PlacesAsync(cluster, asking, layer: 0));
            await Layer(cluster, asking, layer: 0).ReleaseAsync();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task What_a_lost_silo_had_comes_back_by_one_plan_for_those_that_are_left(int lost)
    {
        await using var cluster = await StartAsync();
        var silos = Silos(cluster);

        await cluster.KillSiloAsync(cluster.GetSiloForAddress(silos[lost])!, Stop);
        await cluster.WaitForLivenessToStabilizeAsync();

        var left = Silos(cluster);
        Assert.Equal(silos.Where((_, silo) => silo != lost), left);
        for (var layer = 0; layer < left.Length; layer++)
        {
            Assert.Equal((left[0], left[1]), await PlacesAsync(cluster, asking: left[layer], layer));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_head_without_a_plan_comes_to_no_silo_that_drains_unless_all_do(int draining)
    {
        await using var cluster = await BareCluster.StartAsync(2);
        var silos = Silos(cluster);
        var services = Array.ConvertAll(silos, cluster.GetSiloServiceProvider);
        var agents = services[0].GetRequiredService<SchedulingAgentClient>();
        var profiles = await Task.WhenAll(silos.Select(silo => agents.On(silo).GetProfileAsync(Model, silos, Stop)));
        var plan = new HeadPlan("another", "", new RequestShape(1), silos[0], [], [], TimeSpan.Zero, "");
        var posted = new PostedPlan(plan, [.. profiles.Select((profile, index) => profile with { IsDraining = index >= silos.Length - draining })]);
        Array.ForEach(services, silo => silo.GetRequiredService<PlanBoard>().Post(posted));

        var answer = await Layer(cluster, silos[0], layer: 0).AttendAsync(new AttentionRequest(Matrices.Random(3, 48)), Stop);

        Assert.Equal(draining == 1 ? [silos[0]] : silos, answer.Heads.Select(head => head.Silo).Distinct().Order());
    }

    private static async Task<InProcessTestCluster> StartAsync()
    {
        var cluster = await BareCluster.StartAsync(3, silo => silo.Services.AddSingleton<IPlanStrategy, FirstAndLast>());
        await using var client = new HeadClusterClient(cluster.Client);
        await client.Scheduler.ApplyAsync(Model, new PlanRequest(nameof(FirstAndLast)), Stop).CountAsync(Stop);
        return cluster;
    }

    private static SiloAddress[] Silos(InProcessTestCluster cluster) => [.. cluster.GetActiveSilos().Select(silo => silo.SiloAddress).Order()];

    private static IMultiHeadAttentionGrain Layer(InProcessTestCluster cluster, SiloAddress asking, int layer) =>
        cluster.GetSiloServiceProvider(asking).GetRequiredService<IGrainFactory>().GetGrain<IMultiHeadAttentionGrain>(new LayerId(Model, layer).ToString());

    // Where a layer's coordinator and its heads, which are together, are once one of the silos has asked for them.
    private static async Task<(SiloAddress? Coordinator, SiloAddress Heads)> PlacesAsync(InProcessTestCluster cluster, SiloAddress asking, int layer)
    {
        var coordinator = Layer(cluster, asking, layer);
        var answer = await coordinator.AttendAsync(new AttentionRequest(Matrices.Random(3, 48)), Stop);
        var grains = cluster.GetSiloServiceProvider(asking).GetRequiredService<IGrainFactory>();
        return (await grains.GetGrain<IManagementGrain>(0).GetActivationAddress(coordinator), Assert.Single(answer.Heads.Select(head => head.Silo).Distinct()));
    }
}
