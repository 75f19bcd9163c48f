using HeadCluster.Scheduling;

namespace HeadCluster.Grains;

/// <summary>
/// Lets go of weights that are of no use alone: when a part of a layer or model does not fit, the parts that did would only be
/// in the way of other models.
/// </summary>
internal sealed class WeightRelease(SchedulingAgentClient agents, ISiloStatusOracle silos)
{
    /// <summary>Has every silo let go of what it has of a model, or of one of its layers.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="layer">The layer; null for all of the model.</param>
    public Task AllAsync(string model, int? layer = null) =>
        Task.WhenAll(silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Select(silo => ReleaseAsync(silo, model, layer)));

    private async Task ReleaseAsync(SiloAddress silo, string model, int? layer)
    {
        try
        {
            await agents.On(silo).ReleaseAsync(model, layer);
        }
        catch (Exception exception) when (exception is HeadClusterException or OrleansException or TimeoutException)
        {
            // The silo has gone and its memory with it. Why the request failed is what its caller wants to know.
        }
    }
}
