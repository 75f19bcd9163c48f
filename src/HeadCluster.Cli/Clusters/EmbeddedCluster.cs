using System.Globalization;
using HeadCluster.Client;
using HeadCluster.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HeadCluster.Cli.Clusters;

/// <summary>A cluster of silos in this process, on free ports of this machine, that talk to each other by sockets.</summary>
internal sealed class EmbeddedCluster : IAsyncDisposable
{
    private readonly IHost[] _silos;

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
    public static async Task<EmbeddedCluster> StartAsync(
        string clusterId,
        string[] names,
        IEnumerable<KeyValuePair<string, string?>> settings,
        CancellationToken cancellationToken)
    {
        var ports = FreePorts.Find(2 * names.Length);
        var silos = new IHost[names.Length];
        for (var i = 0; i < silos.Length; i++)
        {
            silos[i] = Build(clusterId, names[i], ports[2 * i], ports[(2 * i) + 1], ports[0], settings);
        }

        var cluster = new EmbeddedCluster(silos);
        try
        {
            // The first keeps the list of silos that the others enter themselves in.
            await silos[0].StartAsync(cancellationToken);
            await Task.WhenAll(silos[1..].Select(silo => silo.StartAsync(cancellationToken)));
            await WaitForAllAsync(silos[0], silos.Length, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos.Reverse())
        {
            await silo.StopAsync();
            silo.Dispose();
        }
    }

    private static IHost Build(
        string clusterId,
        string name,
        int siloPort,
        int gatewayPort,
        int primaryPort,
        IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var builder = SiloHost.CreateBuilder(settings.Concat(
        [
            Setting(nameof(SiloHostOptions.ClusterId), clusterId),
            Setting(nameof(SiloHostOptions.Name), name),
            Setting(nameof(SiloHostOptions.SiloPort), siloPort),
            Setting(nameof(SiloHostOptions.GatewayPort), gatewayPort),
            Setting(nameof(SiloHostOptions.PrimaryPort), primaryPort),
        ]));
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        return builder.Build();
    }

    private static KeyValuePair<string, string?> Setting(string property, object value) =>
        KeyValuePair.Create($"{SiloHostOptions.Section}:{property}", Convert.ToString(value, CultureInfo.InvariantCulture));

    private static async Task WaitForAllAsync(IHost silo, int count, CancellationToken cancellationToken)
    {
        var manifests = silo.Services.GetRequiredService<IClusterManifestProvider>();
        if (manifests.Current.Silos.Count >= count)
        {
            return;
        }

        await foreach (var manifest in manifests.Updates.WithCancellation(cancellationToken))
        {
            if (manifest.Silos.Count >= count)
            {
                return;
            }
        }
    }

    /// <summary>The command hears Ctrl-C and stops its silos; they do not each listen for it.</summary>
    private sealed class CommandLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
