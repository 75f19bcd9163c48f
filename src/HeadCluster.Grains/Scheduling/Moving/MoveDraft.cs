namespace HeadCluster.Scheduling;

/// <summary>A plan, what is, and the steps from one to the other.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Present">What is; null if not every head is active.</param>
/// <param name="InForce">Where heads are once the steps have been made.</param>
/// <param name="Steps">The steps, those first that help most.</param>
/// <param name="Profiles">What the silos reported.</param>
internal sealed record MoveDraft(HeadPlan Plan, HeadPlan? Present, HeadPlan InForce, MoveStep[] Steps, SiloProfile[] Profiles)
{
    /// <summary>Of a request's time, what a plan must leave at most to be carried out: measurements are not better than that.</summary>
    private const double WorthIt = 0.9;

    /// <summary>How long a head stays at least where it was moved to.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    /// <summary>Finds the steps.</summary>
    /// <param name="problem">What the plan was made from.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="profiles">What the silos reported.</param>
    /// <param name="onlyIfWorthIt">Whether what is not worth it stays where it is; what is on a silo that drains goes in any case.</param>
    /// <param name="sinceMoved">How long ago a head was moved; null if it was not.</param>
    public static MoveDraft Of(PlanProblem problem, HeadPlan plan, SiloProfile[] profiles, bool onlyIfWorthIt, Func<HeadId, TimeSpan?> sinceMoved)
    {
        var present = PresentStrategy.Plan(problem);
        var draining = profiles.Where(profile => profile.IsDraining).Select(profile => profile.Silo).ToHashSet();
        var where = new Dictionary<HeadId, SiloAddress>();
        foreach (var profile in profiles)
        {
            foreach (var head in profile.Heads)
            {
                where[head] = profile.Silo;
            }
        }

        var pays = !onlyIfWorthIt || (present is not null && plan.Predicted <= present.Predicted * WorthIt);
        var steps = new List<MoveStep>();
        var inForce = new HeadPlace[plan.Heads.Length];
        for (var i = 0; i < inForce.Length; i++)
        {
            var (head, to) = plan.Heads[i];
            inForce[i] = plan.Heads[i];
            if (!where.TryGetValue(head, out var from))
            {
                // Whoever needs it first activates it where the plan in force says.
                if (!onlyIfWorthIt)
                {
                    steps.Add(new MoveStep(head, Coordinator: default, From: null, to, problem.Heads[i].WeightBytes));
                }
            }
            else if (!from.Equals(to))
            {
                if (draining.Contains(from) || (pays && !(onlyIfWorthIt && sinceMoved(head) < Rest)))
                {
                    steps.Add(new MoveStep(head, Coordinator: default, from, to, problem.Heads[i].WeightBytes));
                }
                else
                {
                    inForce[i] = new HeadPlace(head, from);
                }
            }
        }

        var coordinator = problem.PresentCoordinator >= 0 ? problem.Silos[problem.PresentCoordinator].Silo : plan.Coordinator;
        var moved = pays && !coordinator.Equals(plan.Coordinator);
        coordinator = moved ? plan.Coordinator : coordinator;
        foreach (var profile in profiles.Where(profile => draining.Contains(profile.Silo) || (moved && !profile.Silo.Equals(coordinator))))
        {
            steps.AddRange(profile.Coordinators.Select(grain => new MoveStep(Head: null, grain, profile.Silo, coordinator, Bytes: 0)));
        }

        return new MoveDraft(plan, present, plan with { Heads = inForce, Coordinator = coordinator }, [.. steps], profiles);
    }
}

/// <summary>One step: a head, or what coordinates the model, comes to another silo.</summary>
/// <param name="Head">The head; null for a coordinator.</param>
/// <param name="Coordinator">The coordinator's grain; meaningless for a head.</param>
/// <param name="From">Where it is; null if it is not active.</param>
/// <param name="To">Where it goes.</param>
/// <param name="Bytes">Weights that are loaded there, in bytes.</param>
internal sealed record MoveStep(HeadId? Head, GrainId Coordinator, SiloAddress? From, SiloAddress To, long Bytes);
