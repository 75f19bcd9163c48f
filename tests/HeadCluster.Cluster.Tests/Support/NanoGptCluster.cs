using HeadCluster.Client;
using HeadCluster.Testing;

namespace HeadCluster.Tests;

/// <summary>Two silos that serve the shipped model, for tests that change nothing about the cluster.</summary>
public sealed class NanoGptCluster : IAsyncLifetime
{
    private HeadClusterTestCluster? _cluster;

    internal HeadClusterTestCluster Cluster => _cluster!;

    internal HeadClusterClient Client => Cluster.Client;

    public async ValueTask InitializeAsync() => _cluster = await HeadClusterTestCluster.StartAsync(silos: 2, NanoGpt.Model);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class NanoGptCollection : ICollectionFixture<NanoGptCluster>
{
    public const string Name = "two silos with nano-gpt";
}
