using HeadCluster.Hosting;
using Orleans.Configuration;
using Orleans.Placement;

namespace HeadCluster.Tests.Placement;

/// <summary>Orleans can move grains by itself, to even out their number or to bring together who talks to each other. Neither is for heads.</summary>
public sealed class OrleansMoversTests
{
    private const int Heads = 3;
    private const int Talkers = 60;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task Heads_stay_where_they_are_while_Orleans_rebalances_other_grains() => MovesOthersButNoHeadsAsync(silo =>
    {
#pragma warning disable ORLEANSEXP002 // The rebalancer is experimental; this project never switches it on.
        silo.AddActivationRebalancer();
#pragma warning restore ORLEANSEXP002
        silo.Configure<DeploymentLoadPublisherOptions>(options => options.DeploymentLoadPublisherRefreshTime = Soon);
        silo.Configure<ActivationRebalancerOptions>(options => (options.RebalancerDueTime, options.SessionCyclePeriod) = (Soon, 2 * Soon));
    });

    [Fact]
    public Task Heads_stay_where_they_are_while_Orleans_brings_grains_together_that_talk() => MovesOthersButNoHeadsAsync(silo =>
    {
#pragma warning disable ORLEANSEXP001 // The repartitioner is experimental; this project never switches it on.
        silo.AddActivationRepartitioner();
#pragma warning restore ORLEANSEXP001
        silo.Configure<ActivationRepartitionerOptions>(
            options => (options.MinRoundPeriod, options.MaxRoundPeriod, options.RecoveryPeriod) = (Soon, 2 * Soon, TimeSpan.Zero));
    });

    private static async Task MovesOthersButNoHeadsAsync(Action<ISiloBuilder> addMover)
    {
        await using var cluster = await BareCluster.StartAsync(2, silo =>
        {
            silo.Configure<HeadClusterOptions>(options => options.Models[NanoGpt.Name] = new ModelOptions { Path = NanoGpt.Directory });
            addMover(silo);
        });
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).Order().ToArray();

        // All on one silo, and those they talk to on the other.
        var heads = Enumerable.Range(0, Heads).Select(head => cluster.Client.GetGrain<IAttentionHeadGrain>(new HeadId(NanoGpt.Name, 0, head).ToString())).ToArray();
        var layer = cluster.Client.GetGrain<IMultiHeadAttentionGrain>(new LayerId(NanoGpt.Name, 0).ToString());
        var talkers = Enumerable.Range(0, Talkers).Select(talker => cluster.Client.GetGrain<ITalker>(talker)).ToArray();
        var listener = cluster.Client.GetGrain<ITalker>(Talkers);
        using (PlacementHint.On(silos[0]))
        {
            await Task.WhenAll([.. heads.Select(head => head.LocateAsync(Stop)), .. talkers.Select(talker => talker.LocateAsync())]);
        }

        using (PlacementHint.On(silos[1]))
        {
            await Task.WhenAll([layer.PingHeadsAsync(Stop), listener.LocateAsync()]);
        }

        var request = new AttentionRequest(Matrices.Random(11, 48));
        while (await AllAsync(talkers, silos[0]) && await AllAsync([listener], silos[1]))
        {
            Stop.ThrowIfCancellationRequested();
            await layer.AttendAsync(request, Stop);
            await Task.WhenAll(talkers.Select(talker => talker.TalkAsync(listener)));
        }

        Assert.All(await Task.WhenAll(heads.Select(head => head.LocateAsync(Stop))), silo => Assert.Equal(silos[0], silo));
    }

    private static async Task<bool> AllAsync(ITalker[] talkers, SiloAddress silo) =>
        (await Task.WhenAll(talkers.Select(talker => talker.LocateAsync()))).All(silo.Equals);

    /// <summary>A grain that may be moved.</summary>
    [Alias("hc.tests.ITalker")]
    internal interface ITalker : IGrainWithIntegerKey
    {
        [Alias("LocateAsync")]
        Task<SiloAddress> LocateAsync();

        [Alias("TalkAsync")]
        Task TalkAsync(ITalker listener);
    }

    [RandomPlacement]
    internal sealed class Talker(ILocalSiloDetails silo) : Grain, ITalker
    {
        public Task<SiloAddress> LocateAsync() => Task.FromResult(silo.SiloAddress);

        public Task TalkAsync(ITalker listener) => listener.LocateAsync();
    }
}
