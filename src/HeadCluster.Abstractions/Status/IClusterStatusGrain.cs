namespace HeadCluster;

/// <summary>Tells what the cluster is doing. Its key is 0.</summary>
[Alias("hc.IClusterStatusGrain")]
public interface IClusterStatusGrain : IGrainWithIntegerKey
{
    /// <summary>The silos, the models, and where each active head is with its timings. No head is activated by asking.</summary>
    [Alias("GetStatusAsync")]
    Task<ClusterStatus> GetStatusAsync(CancellationToken cancellationToken = default);
}
