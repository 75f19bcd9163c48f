using HeadCluster.Grains;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Tests.Scheduling;

public sealed class PrepareTests
{
    private static readonly LayerId Layer = new("random:nano", 0);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_is_prepared_for_what_comes_back_when_nothing_is_left_of_it_there()
    {
        await using var cluster = await BareCluster.StartAsync(1);
        var silo = cluster.GetActiveSilos().Single().SiloAddress;
        var services = cluster.GetSiloServiceProvider(silo);
        var local = services.GetRequiredService<LocalGrains>();
        var agent = services.GetRequiredService<SchedulingAgentClient>().On(silo);
        var coordinator = GrainId.Create("multi-head-attention", Layer.ToString());
        var (headGone, coordinatorGone) = (new TaskCompletionSource(), new TaskCompletionSource());
        local.Remove(Layer.Head(0), headGone.Task);
        local.RemoveCoordinator(coordinator, coordinatorGone.Task);

        var head = agent.PrepareAsync(Layer.Head(0), Stop);
        var layer = agent.PrepareCoordinatorAsync(coordinator, Stop);

        // What takes as long comes after, and is done.
        await agent.PrepareAsync(Layer.Head(1), Stop);
        Assert.False(head.IsCompleted);
        Assert.False(layer.IsCompleted);

        headGone.SetResult();
        coordinatorGone.SetResult();
        await Task.WhenAll(head, layer);
    }
}
