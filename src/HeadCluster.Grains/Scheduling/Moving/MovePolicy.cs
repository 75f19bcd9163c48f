namespace HeadCluster.Scheduling;

/// <summary>
/// How a plan is carried out: only if it is worth it, in small steps, and no head twice in a short time, so that errors of
/// measurement never make heads go back and forth. A head whose silo is gone or going moves at once whatever the plan gains.
/// </summary>
/// <remarks>
/// Pure: the scheduler and the simulation ask it the same. Call <see cref="Judge"/> once for a new plan and keep the answer with the
/// plan: while a plan is carried out, what is left of it gains ever less. Then call <see cref="Next"/> whenever a move has ended.
/// </remarks>
public static class MovePolicy
{
    /// <summary>The part of the predicted time that a plan must save to be carried out: 0.1.</summary>
    public const double LeastGain = 0.1;

    /// <summary>How long a head or a coordinator stays where it came: a minute.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    /// <summary>Whether a new plan is to be carried out.</summary>
    /// <param name="problem">What the plan was made for. A head whose silo is gone or draining is nowhere.</param>
    /// <param name="plan">The new plan.</param>
    /// <param name="now">The time now.</param>
    /// <param name="lastMoved">When each head was last moved; null for never.</param>
    public static PlanAdoption Judge(PlanProblem problem, HeadPlan plan, DateTimeOffset now, IReadOnlyList<DateTimeOffset?> lastMoved)
    {
        var targets = Targets(problem, plan);
        var stay = new int[targets.Silos.Length];
        var homeless = 0;
        for (var head = 0; head < stay.Length; head++)
        {
            stay[head] = PresentOf(problem, head);
            if (stay[head] < 0)
            {
                stay[head] = targets.Silos[head];
                homeless++;
            }
        }

        var least = homeless > 0 ? PlanAdoption.Homeless : PlanAdoption.None;
        var coordinator = problem.PresentCoordinator < 0 ? targets.Coordinator : problem.PresentCoordinator;
        if (problem.IsPreliminary || (coordinator == targets.Coordinator && stay.AsSpan().SequenceEqual(targets.Silos)))
        {
            return least;
        }

        // A plan with another coordinator is worth something as a whole: not with the heads where the old one wanted them.
        if (problem.PresentCoordinator >= 0 && coordinator != targets.Coordinator
            && Enumerable.Range(0, stay.Length).Any(head => stay[head] != targets.Silos[head] && Rests(lastMoved[head], now)))
        {
            return least;
        }

        if (plan.IsBinding)
        {
            return PlanAdoption.All;
        }

        // Without the moves of others there may be no room for those that must move.
        var fits = true;
        var free = Free(problem, [coordinator]);
        for (var head = 0; head < stay.Length; head++)
        {
            free[stay[head]] -= problem.Heads[head].Bytes;
            fits &= free[stay[head]] >= 0;
        }

        var planned = new PlanPricing(problem, targets.Coordinator).RequestSeconds(targets.Silos);
        var staying = new PlanPricing(problem, coordinator).RequestSeconds(stay);
        return !fits || planned <= staying * (1 - LeastGain) ? PlanAdoption.All : least;
    }

    /// <summary>
    /// The moves to begin now. Heads that are nowhere are all among them; of the others one for each target, those first whose
    /// silo is the furthest behind what is planned for their layer. A target must have room for the head before others have left it.
    /// </summary>
    /// <param name="problem">The situation now, with the heads of the plan. Nothing moves to a silo that is no longer there.</param>
    /// <param name="plan">The plan that is carried out.</param>
    /// <param name="adoption">What <see cref="Judge"/> said of it.</param>
    /// <param name="now">The time now.</param>
    /// <param name="lastMoved">When each head was last moved; null for never.</param>
    /// <param name="receiving">Silos that a move is on its way to.</param>
    public static IReadOnlyList<HeadMove> Next(
        PlanProblem problem,
        HeadPlan plan,
        PlanAdoption adoption,
        DateTimeOffset now,
        IReadOnlyList<DateTimeOffset?> lastMoved,
        IReadOnlySet<SiloAddress> receiving)
    {
        var moves = new List<HeadMove>();
        if (adoption == PlanAdoption.None)
        {
            return moves;
        }

        var targets = Targets(problem, plan);
        var free = Free(problem, [problem.PresentCoordinator, targets.Coordinator]);
        for (var head = 0; head < targets.Silos.Length; head++)
        {
            if (PresentOf(problem, head) is >= 0 and var silo)
            {
                free[silo] -= problem.Heads[head].Bytes;
            }
        }

        for (var head = 0; head < targets.Silos.Length; head++)
        {
            if (PresentOf(problem, head) < 0)
            {
                Begin(head);
            }
        }

        if (adoption == PlanAdoption.All && targets.Coordinator >= 0)
        {
            var taken = new HashSet<SiloAddress>(receiving);
            foreach (var head in MostUrgentFirst(problem, targets, head => !Rests(lastMoved[head], now)))
            {
                var silo = problem.Silos[targets.Silos[head]].Silo;
                if (!taken.Contains(silo) && Begin(head))
                {
                    taken.Add(silo);
                }
            }
        }

        return moves;

        bool Begin(int head)
        {
            var target = targets.Silos[head];
            if (target < 0 || free[target] < problem.Heads[head].Bytes)
            {
                return false;
            }

            free[target] -= problem.Heads[head].Bytes;
            var from = PresentOf(problem, head) is >= 0 and var silo ? problem.Silos[silo].Silo : null;
            moves.Add(new HeadMove(head, problem.Heads[head].Head, from, problem.Silos[target].Silo));
            return true;
        }
    }

    /// <summary>Whether what was last moved then, if ever, stays where it is for now.</summary>
    public static bool Rests(DateTimeOffset? lastMoved, DateTimeOffset now) => lastMoved is { } moved && now - moved < Rest;

    // By how long the part of its silo takes beyond what is planned for the layer.
    private static IEnumerable<int> MostUrgentFirst(PlanProblem problem, PlanDecision targets, Func<int, bool> mayMove)
    {
        var pricing = new PlanPricing(problem, targets.Coordinator);
        var works = new SiloWork[problem.Silos.Count];
        var present = problem.Present is { } silos ? silos.ToArray() : [];
        var behind = new List<(double Seconds, int Head)>();
        foreach (var layer in PlanLayers.RangesOf(problem.Heads))
        {
            var (start, count) = layer.GetOffsetAndLength(problem.Heads.Count);
            var moving = Enumerable.Range(start, count)
                .Where(head => targets.Silos[head] >= 0 && PresentOf(problem, head) is >= 0 and var silo && silo != targets.Silos[head] && mayMove(head))
                .ToArray();
            if (moving.Length == 0)
            {
                continue;
            }

            pricing.Collect(targets.Silos, layer, works);
            var planned = pricing.HeadsSeconds(works);
            pricing.Collect(present, layer, works);
            var sending = pricing.Sending(works);
            foreach (var head in moving)
            {
                var silo = PresentOf(problem, head);
                behind.Add((pricing.FinishSeconds(silo, works[silo], sending) - planned, head));
            }
        }

        return behind.OrderByDescending(move => move.Seconds).ThenBy(move => move.Head).Select(move => move.Head);
    }

    private static int PresentOf(PlanProblem problem, int head) => problem.Present?[head] ?? -1;

    // Beside the coordinators; while these move, both silos hold them.
    private static long[] Free(PlanProblem problem, HashSet<int> coordinators)
    {
        var free = problem.Silos.Select(silo => silo.MemoryBytes).ToArray();
        foreach (var silo in coordinators.Where(silo => silo >= 0))
        {
            free[silo] -= problem.Coordinator.WeightBytes;
        }

        return free;
    }

    // -1 for a silo that has gone since the plan was made.
    private static PlanDecision Targets(PlanProblem problem, HeadPlan plan)
    {
        var indices = new Dictionary<SiloAddress, int>();
        for (var silo = 0; silo < problem.Silos.Count; silo++)
        {
            indices.Add(problem.Silos[silo].Silo, silo);
        }

        return new PlanDecision(indices.GetValueOrDefault(plan.Coordinator, -1), Array.ConvertAll(plan.Heads, place => indices.GetValueOrDefault(place.Silo, -1)), plan.Reason);
    }
}
