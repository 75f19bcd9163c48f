namespace HeadCluster;

/// <summary>What silos and clients agree on where nothing else is set.</summary>
public static class ClusterDefaults
{
    /// <summary>Cluster id and service id of Orleans.</summary>
    public const string Id = "headcluster";
}
