using System.Collections.Concurrent;
using System.Globalization;
using HeadCluster.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace HeadCluster.Silo;

/// <summary>Silos in this process, a cluster of their own, on free ports of this machine, that talk to each other by sockets.</summary>
internal sealed class EmbeddedSilos : IAsyncDisposable
{
    private readonly IHost[] _silos;
    private readonly ConcurrentStack<IHost> _started = [];

    private EmbeddedSilos(IHost[] silos) => _silos = silos;

    /// <summary>Starts the silos and waits until the first knows them all, so that heads are spread from the first request on.</summary>
    /// <param name="clusterId">Name of the cluster, which keeps clusters in one process apart.</param>
    /// <param name="names">Name of each silo.</param>
    /// <param name="settings">Settings of all silos, by configuration key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="pagePort">Port of the page, which the first silo serves; null for none.</param>
    public static async Task<EmbeddedSilos> StartAsync(
        string clusterId,
        string[] names,
        IEnumerable<KeyValuePair<string, string?>> settings,
        CancellationToken cancellationToken,
        int? pagePort = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var ports = FreePorts.Find(2 * names.Length);
            var silos = new IHost[names.Length];
            for (var i = 0; i < silos.Length; i++)
            {
                silos[i] = Build(clusterId, names[i], ports[2 * i], ports[(2 * i) + 1], ports[0], i == 0 ? pagePort : null, settings);
            }

            var cluster = new EmbeddedSilos(silos);
            try
            {
                await cluster.StartAsync(cancellationToken);
                return cluster;
            }
            catch (Exception exception)
            {
                await cluster.DisposeAsync();
                if (attempt == FreePorts.Attempts || !FreePorts.IsTaken(exception))
                {
                    throw;
                }
            }
        }
    }

    /// <summary>For calling grains from within a silo.</summary>
    public IGrainFactory Grains(int silo) => _silos[silo].Services.GetRequiredService<IGrainFactory>();

    /// <summary>The address of a silo.</summary>
    public SiloAddress Address(int silo) => _silos[silo].Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    /// <summary>Stops the silo that was started last, which gives what it has to the others.</summary>
    public async Task StopLastAsync()
    {
        if (_started.TryPop(out var silo))
        {
            await silo.StopAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (!_started.IsEmpty)
        {
            await StopLastAsync();
        }

        foreach (var silo in _silos)
        {
            silo.Dispose();
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // The first keeps the list of silos that the others enter themselves in.
        await StartAsync(_silos[0]);
        cancellationToken.ThrowIfCancellationRequested();
        await Task.WhenAll(_silos[1..].Select(StartAsync));
        await SiloManifests.WaitForAsync(_silos[0].Services, _silos.Length, cancellationToken);
    }

    // A silo takes less than a second to start, and one that is interrupted while it does cannot be stopped in order.
    private async Task StartAsync(IHost silo)
    {
        silo.CheckSettings();
        await silo.StartAsync(CancellationToken.None);
        _started.Push(silo);
    }

    private static IHost Build(
        string clusterId,
        string name,
        int siloPort,
        int gatewayPort,
        int primaryPort,
        int? pagePort,
        IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var builder = SiloHost.CreateBuilder(settings.Concat(
        [
            // Whatever the environment says of silos that are programs of their own.
            Setting(nameof(SiloHostOptions.Clustering), SiloClustering.Localhost),
            Setting(nameof(SiloHostOptions.Kubernetes), false),
            Setting(nameof(SiloHostOptions.HealthPort), ""),
            Setting(nameof(SiloHostOptions.PagePort), pagePort?.ToString(CultureInfo.InvariantCulture) ?? ""),
            Setting(nameof(SiloHostOptions.Dashboard), false),
            Setting(nameof(SiloHostOptions.ClusterId), clusterId),
            Setting(nameof(SiloHostOptions.Name), name),
            Setting(nameof(SiloHostOptions.SiloPort), siloPort),
            Setting(nameof(SiloHostOptions.GatewayPort), gatewayPort),
            Setting(nameof(SiloHostOptions.PrimaryPort), primaryPort),

            // It ends before moving anything could pay.
            KeyValuePair.Create<string, string?>($"{HeadClusterOptions.Section}:{nameof(HeadClusterOptions.Scheduling)}:{nameof(Scheduling.SchedulingOptions.Automatic)}", "false"),
        ]));
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();

        // Its clients are in this process, and none of them outlives it.
        builder.Services.Configure<SiloMessagingOptions>(orleans => orleans.ClientGatewayShutdownNotificationTimeout = TimeSpan.Zero);
        return builder.Build();
    }

    private static KeyValuePair<string, string?> Setting(string property, object value) =>
        KeyValuePair.Create($"{SiloHostOptions.Section}:{property}", Convert.ToString(value, CultureInfo.InvariantCulture));
}
