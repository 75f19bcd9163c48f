namespace HeadCluster.Scheduling;

/// <summary>A plan, what is, and what of the plan is to be carried out.</summary>
/// <param name="Problem">What the plan was made from.</param>
/// <param name="Plan">The plan.</param>
/// <param name="Present">What is; null if not every head is active.</param>
/// <param name="Adoption">What is to be carried out.</param>
/// <param name="ActivatesHeads">Whether heads that are not active are activated where they belong; if not, the next call does that.</param>
/// <param name="Profiles">What the silos reported.</param>
internal sealed record MoveDraft(
    PlanProblem Problem, HeadPlan Plan, HeadPlan? Present, PlanAdoption Adoption, bool ActivatesHeads, SiloProfile[] Profiles)
{
    /// <summary>Where heads are now, those on silos that drain included.</summary>
    public IReadOnlyDictionary<HeadId, SiloAddress> Places { get; } = PlacesOf(Profiles);

    /// <summary>The plan as far as it is carried out: what new activations obey from now on.</summary>
    public HeadPlan InForce => Adoption == PlanAdoption.All
        ? Plan
        : Plan with { Coordinator = Coordinator, Heads = [.. Plan.Heads.Select((place, head) => IsHomeless(head) ? place : place with { Silo = Problem.Silos[Problem.Present![head]].Silo })] };

    /// <summary>Heads that are to move.</summary>
    public IEnumerable<int> Moving => Enumerable.Range(0, Plan.Heads.Length).Where(head =>
        (Adoption == PlanAdoption.All || (Adoption == PlanAdoption.Homeless && IsHomeless(head)))
        && (Places.TryGetValue(Plan.Heads[head].Head, out var silo) ? !silo.Equals(Plan.Heads[head].Silo) : ActivatesHeads));

    /// <summary>Coordinators that are to move, with where they are: all that are not where the plan has them, which is one silo.</summary>
    public IEnumerable<(GrainId Coordinator, SiloAddress From)> MovingCoordinators => Profiles
        .Where(profile => !profile.Silo.Equals(Coordinator))
        .SelectMany(profile => profile.Coordinators.Select(coordinator => (coordinator, profile.Silo)));

    /// <summary>The silo that coordinates from now on.</summary>
    public SiloAddress Coordinator => Adoption == PlanAdoption.All || Problem.PresentCoordinator < 0
        ? Plan.Coordinator
        : Problem.Silos[Problem.PresentCoordinator].Silo;

    /// <summary>Whether another silo coordinates from now on.</summary>
    public bool ChangesCoordinator => Problem.PresentCoordinator < 0 || !Problem.Silos[Problem.PresentCoordinator].Silo.Equals(Coordinator);

    // Not active, or on a silo that drains.
    private bool IsHomeless(int head) => Problem.Present![head] < 0;

    private static Dictionary<HeadId, SiloAddress> PlacesOf(SiloProfile[] profiles)
    {
        var places = new Dictionary<HeadId, SiloAddress>();
        foreach (var profile in profiles)
        {
            foreach (var head in profile.Heads)
            {
                places[head] = profile.Silo;
            }
        }

        return places;
    }
}
