using System.Collections.Concurrent;

namespace HeadCluster.Scheduling;

/// <summary>
/// The plans that new activations on this silo obey, as the models' schedulers posted them. Where a silo of a plan has gone since,
/// what it had is planned anew by what was known then: every silo comes to the same answer without asking another.
/// </summary>
internal sealed class PlanBoard
{
    private readonly ConcurrentDictionary<string, Entry> _plans = new(StringComparer.Ordinal);
    private readonly ModelPlanner _planner;

    public PlanBoard(ModelPlanner planner) => _planner = planner;

    /// <summary>A later plan takes the place of an earlier one.</summary>
    public void Post(PostedPlan plan) => _plans[plan.Plan.Model] = new Entry(_planner, plan);

    /// <summary>The plan of a model as it was posted last; null if there is none.</summary>
    public HeadPlan? Last(string model) => _plans.GetValueOrDefault(model)?.Plan;

    /// <summary>The plan of a model for the silos that there are; null if there is none, or none that fits.</summary>
    public PlannedPlaces? Find(string model, IReadOnlyCollection<SiloAddress> silos) =>
        _plans.TryGetValue(model, out var entry) ? entry.For(silos) : null;

    /// <summary>Whether a silo is known to drain, by the plan of any model; it does until it is started anew, under another address.</summary>
    public bool IsDraining(SiloAddress silo) => _plans.Values.Any(entry => entry.IsDraining(silo));

    private sealed class Entry(ModelPlanner planner, PostedPlan posted)
    {
        private readonly Lock _lock = new();
        private PlannedPlaces? _places = new(posted.Plan);
        private SiloAddress[] _gone = [];

        public HeadPlan Plan => posted.Plan;

        public bool IsDraining(SiloAddress silo) => posted.Profiles.Any(profile => profile.IsDraining && profile.Silo.Equals(silo));

        public PlannedPlaces? For(IReadOnlyCollection<SiloAddress> silos)
        {
            var gone = posted.Profiles.Select(profile => profile.Silo).Where(silo => !silos.Contains(silo)).Order().ToArray();
            lock (_lock)
            {
                if (!gone.SequenceEqual(_gone))
                {
                    (_gone, _places) = (gone, planner.PlanWithout(posted, gone) is { } plan ? new PlannedPlaces(plan) : null);
                }

                return _places;
            }
        }
    }
}

/// <summary>A plan and what it was made from.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Profiles">What the silos reported.</param>
[GenerateSerializer, Immutable, Alias("hc.PostedPlan")]
internal sealed record PostedPlan([property: Id(0)] HeadPlan Plan, [property: Id(1)] SiloProfile[] Profiles);

/// <summary>Where a plan has each head.</summary>
internal sealed class PlannedPlaces(HeadPlan plan)
{
    private readonly Dictionary<HeadId, SiloAddress> _silos = plan.Heads.ToDictionary(place => place.Head, place => place.Silo);

    public SiloAddress Coordinator => plan.Coordinator;

    /// <summary>The silo of a head; null of one that the plan does not know.</summary>
    public SiloAddress? Of(HeadId head) => _silos.GetValueOrDefault(head);
}
