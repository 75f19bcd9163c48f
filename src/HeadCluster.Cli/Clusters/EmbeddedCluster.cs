using System.Collections.Concurrent;
using System.Globalization;
using HeadCluster.Client;
using HeadCluster.Hosting;
using HeadCluster.Scheduling;
using HeadCluster.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HeadCluster.Cli.Clusters;

/// <summary>A cluster of silos in this process, on free ports of this machine, that talk to each other by sockets.</summary>
internal sealed class EmbeddedCluster : IAsyncDisposable
{
    private readonly IHost[] _silos;
    private readonly ConcurrentStack<IHost> _started = [];

    private EmbeddedCluster(IHost[] silos)
    {
        _silos = silos;
        Client = new HeadClusterClient(silos[0].Services.GetRequiredService<IGrainFactory>());
    }

    /// <summary>A client within the first silo.</summary>
    public HeadClusterClient Client { get; }

    /// <summary>Starts the silos and waits until the first knows them all, so that heads are spread from the first request on.</summary>
    /// <param name="clusterId">Name of the cluster, which keeps clusters in one process apart.</param>
    /// <param name="names">Name of each silo.</param>
    /// <param name="settings">Settings of all silos, by configuration key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="pagePort">Port of the page, which the first silo serves; null for none.</param>
    public static async Task<EmbeddedCluster> StartAsync(
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

            var cluster = new EmbeddedCluster(silos);
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

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (_started.TryPop(out var silo))
        {
            await silo.StopAsync();
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
            KeyValuePair.Create<string, string?>($"{HeadClusterOptions.Section}:{nameof(HeadClusterOptions.Scheduling)}:{nameof(SchedulingOptions.Automatic)}", "false"),
        ]));
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        return builder.Build();
    }

    private static KeyValuePair<string, string?> Setting(string property, object value) =>
        KeyValuePair.Create($"{SiloHostOptions.Section}:{property}", Convert.ToString(value, CultureInfo.InvariantCulture));
}
