namespace HeadCluster;

/// <summary>Tells what the cluster is doing. Its key is 0.</summary>
[Alias("hc.IClusterStatusGrain")]
public interface IClusterStatusGrain : IGrainWithIntegerKey
{
    /// <summary>The silos, the models, and where each active head is with its timings. No head is activated by asking.</summary>
    [Alias("GetStatusAsync")]
    Task<ClusterStatus> GetStatusAsync(CancellationToken cancellationToken = default);

    /// <summary>A model's shape. No weights are loaded by asking.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">The model is unknown or its files are not readable.</exception>
    [Alias("DescribeAsync")]
    Task<ModelDescription> DescribeAsync(string model, CancellationToken cancellationToken = default);

    /// <summary>What each active head has done, ordered by model, layer and head. No head is activated by asking.</summary>
    /// <param name="model">The model whose heads are asked; null for those of all models.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    [Alias("GetHeadsAsync")]
    Task<HeadStatistics[]> GetHeadsAsync(string? model, CancellationToken cancellationToken = default);
}
