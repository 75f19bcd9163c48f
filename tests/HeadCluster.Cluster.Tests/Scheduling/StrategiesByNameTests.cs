using HeadCluster.Client;
using HeadCluster.Scheduling;
using HeadCluster.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Tests.Scheduling;

/// <summary>Which strategy a cluster plans by.</summary>
public sealed class StrategiesByNameTests
{
    private const string Model = "random:nano";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_strategy_of_ones_own_is_a_service_of_every_silo_and_found_by_its_name()
    {
        await using var cluster = await BareCluster.StartAsync(3, silo => silo.Services.AddSingleton<IPlanStrategy, FirstAndLast>());
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).Order().ToArray();
        await using var client = new HeadClusterClient(cluster.Client);

        var plan = (await client.Scheduler.PlanAsync(Model, new PlanRequest("firstandlast"), Stop)).Plan;

        Assert.Equal((nameof(FirstAndLast), "the first and the last", silos[0]), (plan.Strategy, plan.Reason, plan.Coordinator));
        Assert.Equal(9, plan.Heads.Length);
        Assert.All(plan.Heads, place => Assert.Equal(silos[2], place.Silo));
        await Refusal.OfAsync(() => client.Scheduler.PlanAsync(Model, new PlanRequest("LastAndFirst"), Stop), "'LastAndFirst'", nameof(FirstAndLast));
    }

    [Fact]
    public async Task A_file_of_pinned_heads_holds_as_it_is_when_a_plan_is_made()
    {
        using var folder = new TemporaryDirectory();
        var file = folder.File("plan.json");
        await File.WriteAllTextAsync(file, """{ "heads": { "*": "unknown yet" } }""", Stop);
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            2, options => (options.Scheduling.Strategy, options.Scheduling.PinnedFile) = (PlanStrategies.Pinned, file), Stop);

        foreach (var silo in (await cluster.Client.StatusAsync(Stop)).Silos)
        {
            await File.WriteAllTextAsync(file, $$"""{ "heads": { "*": "{{silo.Name}}" } }""", Stop);
            var plan = (await cluster.Client.Scheduler.PlanAsync(Model, cancellationToken: Stop)).Plan;
            Assert.All(plan.Heads, place => Assert.Equal(silo.Address, place.Silo));
        }
    }
}
