using HeadCluster.Client;

namespace HeadCluster.Cli.Clusters;

/// <summary>The cluster that a command works with: one that runs, or a silo that lives as long as the command.</summary>
internal sealed class ClusterSession : IAsyncDisposable
{
    private readonly IAsyncDisposable _owned;

    private ClusterSession(HeadClusterClient client, IAsyncDisposable owned)
    {
        Client = client;
        _owned = owned;
    }

    public HeadClusterClient Client { get; }

    /// <summary>Joins the cluster at an address (<see cref="ClusterAddress"/>); a name of null is that of a cluster that was given none.</summary>
    public static async Task<ClusterSession> JoinAsync(string address, string? clusterId, string? serviceId, CancellationToken cancellationToken)
    {
        var client = await HeadClusterClient.ConnectAsync(
            options =>
            {
                ClusterAddress.Apply(address, options);
                options.ClusterId = clusterId ?? options.ClusterId;
                options.ServiceId = serviceId ?? options.ServiceId;
            },
            cancellationToken);
        return new ClusterSession(client, client);
    }

    /// <summary>Starts a silo in this process.</summary>
    public static async Task<ClusterSession> EmbedAsync(
        IEnumerable<KeyValuePair<string, string?>> settings,
        CancellationToken cancellationToken)
    {
        var cluster = await EmbeddedCluster.StartAsync("headcluster-embedded", ["embedded"], settings, cancellationToken);
        return new ClusterSession(cluster.Client, cluster);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _owned.DisposeAsync();
}
