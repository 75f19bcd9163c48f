using HeadCluster.Grains;
using HeadCluster.Hosting;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

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

    [Fact]
    public async Task What_is_here_already_is_not_prepared_once_more()
    {
        await using var cluster = await StartTwoAsync();
        var (coordinator, silo, _) = await ActivateAsync(cluster, "multi-head-attention", Layer.ToString());
        using (PlacementHint.On(Address(silo)))
        {
            await silo.GetRequiredService<IGrainFactory>().GetGrain<IAttentionHeadGrain>(Layer.Head(0).ToString()).LocateAsync(Stop);
        }

        var free = Free(silo);
        var agent = silo.GetRequiredService<SchedulingAgentClient>().On(Address(silo));
        await agent.PrepareCoordinatorAsync(coordinator, Stop);
        await agent.PrepareAsync(Layer.Head(0), Stop);

        Assert.Equal(free, Free(silo));
    }

    [Theory]
    [InlineData("multi-head-attention", "random:nano/0")]
    [InlineData("transformer", "nano-gpt")]
    public async Task A_coordinator_takes_the_weights_that_were_prepared_where_it_goes(string type, string key)
    {
        await using var cluster = await StartTwoAsync();
        var (coordinator, from, to) = await ActivateAsync(cluster, type, key);
        var (fromFree, toFree) = (Free(from), Free(to));

        var agent = from.GetRequiredService<SchedulingAgentClient>().On(Address(to));
        await agent.PrepareCoordinatorAsync(coordinator, Stop);
        var bytes = toFree - Free(to);
        Assert.InRange(bytes, 1, long.MaxValue);
        await agent.DiscardCoordinatorAsync(coordinator, Stop);
        Assert.Equal(toFree, Free(to));
        await agent.PrepareCoordinatorAsync(coordinator, Stop);
        Assert.Equal(toFree - bytes, Free(to));
        Assert.True(Has(from, coordinator));

        await from.GetRequiredService<HeadMover>().MoveCoordinatorAsync(coordinator, Address(to), Stop);
        Assert.True(Has(to, coordinator));
        Assert.Equal(toFree - bytes, Free(to));
        Assert.Equal(fromFree + bytes, Free(from));
    }

    [Fact]
    public async Task A_coordinator_for_which_a_silo_has_no_memory_stays_where_it_is()
    {
        await using var cluster = await StartTwoAsync();
        var (coordinator, from, to) = await ActivateAsync(cluster, "multi-head-attention", Layer.ToString());
        using var taken = to.GetRequiredService<WeightMemory>().Reserve(Free(to), "another", "another");

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => from.GetRequiredService<HeadMover>().MoveCoordinatorAsync(coordinator, Address(to), Stop));

        Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
        Assert.StartsWith($"layer {Layer} needs ", error.Message, StringComparison.Ordinal);
        Assert.True(Has(from, coordinator));
    }

    private static Task<InProcessTestCluster> StartTwoAsync() =>
        BareCluster.StartAsync(2, silo => silo.AddHeadCluster(options => options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory }));

    // The coordinator and nothing else, on the first silo.
    private static async Task<(GrainId Coordinator, IServiceProvider From, IServiceProvider To)> ActivateAsync(InProcessTestCluster cluster, string type, string key)
    {
        IServiceProvider[] silos = [.. cluster.GetActiveSilos().Select(silo => cluster.GetSiloServiceProvider(silo.SiloAddress))];
        var coordinator = GrainId.Create(type, key);
        using (PlacementHint.On(Address(silos[0])))
        {
            await silos[0].GetRequiredService<IGrainFactory>().GetGrain<IWeightGrain>(coordinator).IsServingAsync(Guid.NewGuid(), Stop);
        }

        Assert.True(Has(silos[0], coordinator));
        return (coordinator, silos[0], silos[1]);
    }

    private static SiloAddress Address(IServiceProvider silo) => silo.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    private static bool Has(IServiceProvider silo, GrainId coordinator)
    {
        var local = silo.GetRequiredService<LocalGrains>();
        return local.Models.SelectMany(local.CoordinatorsOf).Contains(coordinator);
    }

    private static long Free(IServiceProvider silo) => silo.GetRequiredService<WeightMemory>().AvailableTo("none");
}
