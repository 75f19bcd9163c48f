using System.Text;
using HeadCluster.Scheduling;
using Orleans.Runtime.Placement;

namespace HeadCluster.Grains;

/// <summary>
/// Chooses the silo of a head that is not active yet: the one a placement hint names, or that of the model's plan; where there is
/// none, head k of a layer goes to the k-th silo, round and round, in an order of the silos that is the layer's own, those left out that
/// are known to drain.
/// </summary>
/// <remarks>
/// The order is that of rendezvous hashing (Thaler and Ravishankar 1998) over (layer, silo): every silo that places a head
/// comes to the same answer without asking another, and layers start on different silos.
/// </remarks>
internal sealed class HeadPlacementDirector : IPlacementDirector
{
    private readonly PlanBoard _plans;

    public HeadPlacementDirector(PlanBoard plans) => _plans = plans;

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var hint = IPlacementDirector.GetPlacementHint(target.RequestContextData, silos);
        var key = target.GrainIdentity.Key.ToString()!;
        return Task.FromResult(hint ?? (HeadId.TryParse(key, out var head) ? _plans.Find(head.Model, silos)?.Of(head) : null) ?? Choose(key, Staying(silos)));
    }

    /// <summary>The silo of a head among <paramref name="silos"/>, in whatever order they come.</summary>
    internal static SiloAddress Choose(string key, IReadOnlyCollection<SiloAddress> silos)
    {
        // A key that names no head is placed all the same: the grain itself tells the caller what is wrong with it.
        var (layer, index) = HeadId.TryParse(key, out var head) ? (head.LayerId.ToString(), head.KvHead) : (key, 0);
        return silos.OrderBy(silo => Score(layer, silo)).ThenBy(silo => silo).ElementAt(index % silos.Count);
    }

    // All, if all drain: a head that is asked for has to be somewhere.
    private SiloAddress[] Staying(SiloAddress[] silos) =>
        silos.Where(silo => !_plans.IsDraining(silo)).ToArray() is { Length: > 0 } staying ? staying : silos;

    private static uint Score(string layer, SiloAddress silo) =>
        StableHash.ComputeHash(Encoding.UTF8.GetBytes($"{layer} {silo.ToParsableString()}"));
}
