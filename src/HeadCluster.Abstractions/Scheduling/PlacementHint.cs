using Orleans.Runtime.Placement;

namespace HeadCluster;

/// <summary>
/// Where the grains that are activated by calls from here belong, until it is disposed. It flows on with every call that is made
/// meanwhile, so it must end.
/// </summary>
internal readonly struct PlacementHint : IDisposable
{
    /// <summary>Begins a hint.</summary>
    public static PlacementHint On(SiloAddress silo)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        return default;
    }

    /// <inheritdoc/>
    public void Dispose() => RequestContext.Remove(IPlacementDirector.PlacementHintKey);
}
