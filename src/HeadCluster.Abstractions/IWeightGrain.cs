namespace HeadCluster;

/// <summary>A grain that holds weights of a model in the memory of its silo.</summary>
[Alias("hc.IWeightGrain")]
public interface IWeightGrain : IGrainWithStringKey
{
    /// <summary>
    /// Lets go of the grain's own weights, and not of those of a layer's heads or a model's layers; their memory is free for others when the call
    /// ends. The next request loads them anew.
    /// </summary>
    [Alias("ReleaseAsync")]
    Task ReleaseAsync();

    /// <summary>
    /// Tells whether a request is being served at this moment. One that is not has been answered, or was lost with the silo that
    /// served it; its caller may send it again.
    /// </summary>
    /// <param name="request">The request's id.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    [Alias("IsServingAsync"), ResponseTimeout("00:00:05")]
    Task<bool> IsServingAsync(Guid request, CancellationToken cancellationToken = default);
}
