using HeadCluster.Client;
using HeadCluster.Hosting;
using HeadCluster.Kernels;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace HeadCluster.Testing;

/// <summary>
/// A cluster of in-memory silos in this process, for tests: real grains, real serialization between silos, no sockets. Silos
/// are started, stopped, killed and slowed, and heads are put where a test wants them: they do not move by themselves unless the
/// options say so.
/// </summary>
public sealed class HeadClusterTestCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private HeadClusterTestCluster(InProcessTestCluster cluster)
    {
        _cluster = cluster;
        Client = new HeadClusterClient(cluster.Client);
    }

    /// <summary>A client of the cluster.</summary>
    public HeadClusterClient Client { get; }

    /// <summary>For calling grains that the client does not show, such as a single head.</summary>
    public IGrainFactory Grains => _cluster.Client;

    /// <summary>The silos that run, ordered by address.</summary>
    public IReadOnlyList<SiloAddress> Silos => [.. _cluster.GetActiveSilos().Select(silo => silo.SiloAddress).Order()];

    /// <summary>Starts a cluster that serves models.</summary>
    /// <param name="silos">How many silos, 1 or more.</param>
    /// <param name="models">Each with its name and its directory; built-in models such as <c>random:nano</c> need no entry.</param>
    public static Task<HeadClusterTestCluster> StartAsync(int silos, params (string Name, string Path)[] models) =>
        StartAsync(silos, options =>
        {
            foreach (var (name, path) in models)
            {
                options.Models[name] = new ModelOptions { Path = path };
            }
        });

    /// <summary>Starts a cluster.</summary>
    /// <param name="silos">How many silos, 1 or more.</param>
    /// <param name="configure">Sets the options of every silo.</param>
    /// <param name="cancellationToken">Gives up waiting for the silos to see each other.</param>
    public static async Task<HeadClusterTestCluster> StartAsync(
        int silos,
        Action<HeadClusterOptions> configure,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var builder = new InProcessTestClusterBuilder(checked((short)silos));
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton<TestComputePool>();
            silo.Services.AddSingleton<ComputePool>(services => services.GetRequiredService<TestComputePool>());
            silo.AddHeadCluster(options =>
            {
                options.Scheduling.Automatic = false;
                configure(options);
            });
        });
        builder.ConfigureClient(client =>
        {
            client.AddActivityPropagation();
            client.Configure<ClientMessagingOptions>(options => options.MaxMessageBodySize = WireLimits.MaxMessageBodyBytes);
        });

        var cluster = builder.Build();
        try
        {
            await cluster.DeployAsync().WaitAsync(cancellationToken);
            await StabilizeAsync(cluster).WaitAsync(cancellationToken);
            return new HeadClusterTestCluster(cluster);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where each active head is.</summary>
    public async Task<IReadOnlyDictionary<HeadId, SiloAddress>> FindHeadsAsync(CancellationToken cancellationToken = default)
    {
        var status = await Client.StatusAsync(cancellationToken);
        return status.Heads.ToDictionary(head => head.Head, head => head.Silo);
    }

    /// <summary>Puts a head on a silo: activates it there, or moves it there if it is active elsewhere.</summary>
    /// <exception cref="HeadClusterException">There is no such head, or its weights could not be loaded.</exception>
    public Task PlaceHeadAsync(HeadId head, SiloAddress silo)
    {
        var grain = Grains.GetGrain<IAttentionHeadGrain>(head.ToString());
        return PlaceAsync(grain, silo, async () => (await grain.GetStatisticsAsync()).Silo);
    }

    /// <summary>Puts the coordinator of a layer on a silo: activates it there, or moves it there if it is active elsewhere.</summary>
    public Task PlaceCoordinatorAsync(LayerId layer, SiloAddress silo)
    {
        var grain = Grains.GetGrain<IMultiHeadAttentionGrain>(layer.ToString());
        return PlaceAsync(grain, silo, async () =>
        {
            await grain.IsServingAsync(Guid.Empty);
            return await Grains.GetGrain<IManagementGrain>(0).GetActivationAddress(grain);
        });
    }

    /// <summary>Starts one more silo and waits until all silos see it.</summary>
    public async Task<SiloAddress> AddSiloAsync()
    {
        var silo = await _cluster.StartAdditionalSiloAsync();
        await StabilizeAsync(_cluster);
        return silo.SiloAddress;
    }

    /// <summary>Stops a silo as a shutdown does: it says good-bye and lets go of its grains first.</summary>
    public async Task StopSiloAsync(SiloAddress silo)
    {
        await _cluster.StopSiloAsync(Handle(silo));
        await StabilizeAsync(_cluster);
    }

    /// <summary>
    /// Ends a silo without letting go of its grains. It still leaves the membership table at once, so this shows what happens
    /// after a death is known, and not how long it takes to find out: that takes processes.
    /// </summary>
    public async Task KillSiloAsync(SiloAddress silo)
    {
        await _cluster.KillSiloAsync(Handle(silo));
        await StabilizeAsync(_cluster);
    }

    /// <summary>Makes every computation on a silo take longer; changing it again ends the delays that are under way.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="delay">Added to each computation of a head, projection or feed-forward layer, until its request is cancelled.</param>
    public void SlowSilo(SiloAddress silo, TimeSpan delay) => Compute(silo).Delay = delay;

    /// <summary>Computations that run at this moment on all silos.</summary>
    public int RunningComputations => _cluster.GetActiveSilos().Sum(silo => Compute(silo.SiloAddress).Running);

    /// <summary>
    /// Computations, on all silos that run, that had begun when their request was cancelled and that ended by it instead of
    /// computing on.
    /// </summary>
    public int InterruptedComputations => _cluster.GetActiveSilos().Sum(silo => Compute(silo.SiloAddress).Interrupted);

    /// <summary>Makes the next computation on a silo fail: that of a head or layer, or the loading of its weights.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="failure">What it throws.</param>
    public void FailNextComputation(SiloAddress silo, Exception failure) => Compute(silo).FailNext(failure);

    /// <summary>Waits until as many computations, or more, run on a silo.</summary>
    public Task WaitForComputationsAsync(SiloAddress silo, int count, CancellationToken cancellationToken = default) =>
        Compute(silo).WaitForRunningAsync(running => running >= count, cancellationToken);

    /// <summary>Waits until no silo computes anything.</summary>
    public Task WaitUntilIdleAsync(CancellationToken cancellationToken = default) =>
        Task.WhenAll(_cluster.GetActiveSilos().Select(silo => Compute(silo.SiloAddress).WaitForRunningAsync(running => running == 0, cancellationToken)));

    /// <summary>Collects the spans of this cluster's requests from now on, until the result is disposed.</summary>
    /// <param name="grainCalls">Whether Orleans makes its spans of grain calls too, between HeadCluster's.</param>
    public SpanCollector CollectSpans(bool grainCalls = false) => new(() => Silos, grainCalls);

    /// <summary>Stops everything.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _cluster.GetActiveSilos())
        {
            Compute(silo.SiloAddress).Delay = TimeSpan.Zero;
        }

        await Client.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    // Locating the grain activates it where it is to be, if it is not active yet.
    private async Task PlaceAsync(IGrain grain, SiloAddress silo, Func<Task<SiloAddress?>> locate)
    {
        using var hint = PlacementHint.On(silo);
        if (!silo.Equals(await locate()))
        {
            await _cluster.MigrateAsync(grain, silo);
            await locate();
        }
    }

    private static async Task StabilizeAsync(InProcessTestCluster cluster)
    {
        await cluster.WaitForLivenessToStabilizeAsync();
        await cluster.WaitForClusterManifestToStabilizeAsync();
    }

    private TestComputePool Compute(SiloAddress silo) => _cluster.GetSiloServiceProvider(silo).GetRequiredService<TestComputePool>();

    private InProcessSiloHandle Handle(SiloAddress silo) =>
        _cluster.GetSiloForAddress(silo) ?? throw new ArgumentException($"{silo} is not a silo of this cluster", nameof(silo));
}
