namespace HeadCluster.Client;

/// <summary>How a client finds the gateways of a cluster.</summary>
public enum GatewayDiscovery
{
    /// <summary>They are given, in <see cref="HeadClusterClientOptions.Gateways"/>.</summary>
    Static,

    /// <summary>By the list of silos in Redis.</summary>
    Redis,

    /// <summary>By the tables of silos in PostgreSQL.</summary>
    AdoNet,
}
