using HeadCluster.Scheduling;
using Orleans.Runtime.Placement;

namespace HeadCluster.Grains;

/// <summary>
/// Chooses the silo of a layer or model that is not active yet: the one a placement hint names, or that of the model's plan, or else
/// the caller's, where x is.
/// </summary>
internal sealed class CoordinatorPlacementDirector : IPlacementDirector
{
    private readonly PlanBoard _plans;

    public CoordinatorPlacementDirector(PlanBoard plans) => _plans = plans;

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var key = target.GrainIdentity.Key.ToString()!;
        var model = LayerId.TryParse(key, out var layer) ? layer.Model : key;
        return Task.FromResult(
            IPlacementDirector.GetPlacementHint(target.RequestContextData, silos)
            ?? _plans.Find(model, silos)?.Coordinator
            ?? (silos.Contains(context.LocalSilo) ? context.LocalSilo : silos.Min()!));
    }
}
