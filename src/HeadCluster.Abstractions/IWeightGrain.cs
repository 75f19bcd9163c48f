namespace HeadCluster;

/// <summary>A grain that holds weights of a model in the memory of its silo.</summary>
[Alias("hc.IWeightGrain")]
public interface IWeightGrain : IGrainWithStringKey
{
    /// <summary>
    /// Lets go of the weights, those of the grains that serve this one alone included; their memory is free for others when the
    /// call ends. The next request loads them anew.
    /// </summary>
    [Alias("ReleaseAsync")]
    Task ReleaseAsync();
}
