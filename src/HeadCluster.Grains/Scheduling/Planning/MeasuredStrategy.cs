namespace HeadCluster.Scheduling;

/// <summary>
/// The least predicted time of a request, over the choice of the coordinator, the silos that are used and the split of each layer.
/// It stays with what is there where a move gains less than it costs, and when a silo has left it moves little but that silo's heads.
/// </summary>
public sealed class MeasuredStrategy : IPlanStrategy
{
    // Heads × silos up to which more sets of silos are tried in full.
    private const long Small = 65_536;
    private const int SetsIfSmall = 12;
    private const int SetsIfLarge = 2;

    // When heads or the coordinator have lost their silo, at most this part of the other heads moves too. Those that were never asked for have
    // lost none, and keep nothing from a better place.
    private const double MoveWithLost = 0.05;

    // Neither measurements nor the search are better than this part of a request's time: for less, nothing moves.
    private const double LeastGain = 0.02;

    // Coordinating takes of a silo's cores what its heads then seem to lack, so that a silo that does not coordinate looks faster than it
    // would be if it did. For less than this part of a request's time the coordinator stays.
    private const double LeastGainOfCoordinator = 0.1;

    // Moving pays if requests, one after the other, win its cost back in this time, in seconds.
    private const double PaysWithin = 60;

    /// <inheritdoc/>
    public string Name => PlanStrategies.Measured;

    /// <inheritdoc/>
    public PlanDecision Decide(PlanProblem problem)
    {
        var layers = new PlanLayers(problem.Heads);
        var sets = SiloSets.Find(problem, layers.Ranges.Length);
        var settled = PresentPlaces.Any(problem);
        var lost = settled && problem.HasLost && (problem.PresentCoordinator < 0 || problem.Present!.Any(silo => silo < 0));
        var best = settled ? Best(problem, Settled(problem, layers, lost)) : null;
        if (best is null || !lost)
        {
            var sought = sets
                .Take((long)problem.Heads.Count * problem.Silos.Count <= Small ? SetsIfSmall : SetsIfLarge)
                .Select(set => SetFilling.TryFill(problem, layers, set))
                .OfType<PlanAssignment>()
                .Select(assignment => Polish(problem, layers, assignment));
            best = Best(problem, best is null ? sought : sought.Prepend(best));
            best = Best(problem, Exact(problem, layers, best));
        }

        // No set has the memory, as far as that could be told.
        best ??= SiloSets.Coordinators(problem).Select(coordinator => PlanMemory.TryPack(problem, coordinator)).FirstOrDefault(packed => packed is not null) is { } packed
            ? Polish(problem, layers, packed)
            : throw PlanMemory.Shortage(problem);
        var silos = best.Silos.ToArray();
        PresentPlaces.Keep(problem, layers, best.Coordinator, silos);
        var seconds = new PlanPricing(problem, best.Coordinator).RequestSeconds(silos);
        return new PlanDecision(best.Coordinator, silos, PlanReason.Explain(problem, silos, seconds, sets));
    }

    // What is there; and that with the slowest silos relieved. Heads that are nowhere are added where they are done first.
    private static IEnumerable<PlanAssignment> Settled(PlanProblem problem, PlanLayers layers, bool lost)
    {
        var coordinators = problem.PresentCoordinator >= 0 ? [problem.PresentCoordinator] : SiloSets.Coordinators(problem);
        foreach (var coordinator in coordinators)
        {
            var pricing = new PlanPricing(problem, coordinator);
            if (SetFilling.TrySettle(problem, layers, pricing) is not { } settled)
            {
                continue;
            }

            if (!lost)
            {
                yield return settled.Copy();
            }

            var improvement = new Improvement(problem, layers, pricing, settled);
            improvement.Balance(lost ? (int)(problem.Heads.Count * MoveWithLost) : int.MaxValue);
            improvement.TakeBack(MoveCost(problem, pricing, settled));
            yield return settled;
        }
    }

    // What is known, and what is better.
    private static IEnumerable<PlanAssignment> Exact(PlanProblem problem, PlanLayers layers, PlanAssignment? known)
    {
        var seconds = double.PositiveInfinity;
        if (known is not null)
        {
            seconds = new PlanPricing(problem, known.Coordinator).RequestSeconds(known.Silos);
            yield return known;
        }

        foreach (var coordinator in SiloSets.Coordinators(problem))
        {
            if (ExactSearch.TryFind(problem, layers, coordinator, seconds) is { } better)
            {
                seconds = new PlanPricing(problem, coordinator).RequestSeconds(better.Silos);
                yield return Polish(problem, layers, better);
            }
        }
    }

    private static PlanAssignment Polish(PlanProblem problem, PlanLayers layers, PlanAssignment assignment)
    {
        var pricing = new PlanPricing(problem, assignment.Coordinator);
        new Improvement(problem, layers, pricing, assignment).Balance(int.MaxValue);
        if (!PresentPlaces.Any(problem))
        {
            return assignment;
        }

        var silos = assignment.Silos.ToArray();
        PresentPlaces.Keep(problem, layers, assignment.Coordinator, silos);
        var kept = new PlanAssignment(problem, assignment.Coordinator, silos);
        new Improvement(problem, layers, pricing, kept).TakeBack(MoveCost(problem, pricing, kept));
        return kept;
    }

    // The first of the best, so that ties go to what comes first: to staying.
    private static PlanAssignment? Best(PlanProblem problem, IEnumerable<PlanAssignment> assignments)
    {
        var best = default(PlanAssignment);
        var least = double.PositiveInfinity;
        foreach (var assignment in assignments)
        {
            var seconds = new PlanPricing(problem, assignment.Coordinator).RequestSeconds(assignment.Silos);
            var cost = seconds * (1 + Threshold(problem, assignment) + (MoveSeconds(problem, assignment) / PaysWithin));
            if (cost < least)
            {
                (best, least) = (assignment, cost);
            }
        }

        return best;
    }

    private static double Threshold(PlanProblem problem, PlanAssignment assignment)
    {
        if (problem.PresentCoordinator >= 0 && problem.PresentCoordinator != assignment.Coordinator)
        {
            return LeastGainOfCoordinator;
        }

        for (var head = 0; head < assignment.Silos.Length; head++)
        {
            if (problem.Present?[head] is >= 0 and var from && from != assignment.Silos[head])
            {
                return LeastGain;
            }
        }

        return 0;
    }

    // A request takes this much longer, spread over the time in which moves have to pay.
    private static Func<int, double> MoveCost(PlanProblem problem, PlanPricing pricing, PlanAssignment assignment)
    {
        var seconds = pricing.RequestSeconds(assignment.Silos);
        return head => seconds * MoveSeconds(problem, head, assignment.Silos[head]) / PaysWithin;
    }

    private static double MoveSeconds(PlanProblem problem, PlanAssignment assignment)
    {
        var seconds = 0d;
        for (var head = 0; head < assignment.Silos.Length; head++)
        {
            seconds += MoveSeconds(problem, head, assignment.Silos[head]);
        }

        return problem.PresentCoordinator is >= 0 and var from && from != assignment.Coordinator
            ? seconds + (problem.Coordinator.WeightBytes / problem.Links.Between(from, assignment.Coordinator).BytesPerSecond)
            : seconds;
    }

    private static double MoveSeconds(PlanProblem problem, int head, int to) => problem.Present?[head] is >= 0 and var from && from != to
        ? problem.Heads[head].Bytes / problem.Links.Between(from, to).BytesPerSecond
        : 0;
}
