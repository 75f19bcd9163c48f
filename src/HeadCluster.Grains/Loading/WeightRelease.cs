namespace HeadCluster.Grains;

/// <summary>
/// Lets go of weights that are of no use alone: when a part of a layer or model does not fit, the parts that did would only be
/// in the way of other models.
/// </summary>
internal static class WeightRelease
{
    public static Task AllAsync(IEnumerable<IWeightGrain> grains) => Task.WhenAll(grains.Select(ReleaseAsync));

    private static async Task ReleaseAsync(IWeightGrain grain)
    {
        try
        {
            await grain.ReleaseAsync();
        }
        catch (Exception exception) when (exception is HeadClusterException or OrleansException or TimeoutException)
        {
            // The silo has gone and its memory with it. Why the request failed is what its caller wants to know.
        }
    }
}
