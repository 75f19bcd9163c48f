using HeadCluster.Client;
using HeadCluster.Silo;

namespace HeadCluster.Cli.Clusters;

/// <summary>A cluster of silos in this process, and a client within the first.</summary>
internal sealed class EmbeddedCluster : IAsyncDisposable
{
    private readonly EmbeddedSilos _silos;

    private EmbeddedCluster(EmbeddedSilos silos)
    {
        _silos = silos;
        Client = new HeadClusterClient(silos.Grains(0));
    }

    /// <summary>A client within the first silo.</summary>
    public HeadClusterClient Client { get; }

    /// <inheritdoc cref="EmbeddedSilos.StartAsync"/>
    public static async Task<EmbeddedCluster> StartAsync(
        string clusterId,
        string[] names,
        IEnumerable<KeyValuePair<string, string?>> settings,
        CancellationToken cancellationToken,
        int? pagePort = null) => new(await EmbeddedSilos.StartAsync(clusterId, names, settings, cancellationToken, pagePort));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _silos.DisposeAsync();
}
