namespace HeadCluster.Scheduling;

/// <summary>Has a strategy decide, checks that what it decided fits, and prices it.</summary>
public static class HeadPlanner
{
    /// <summary>Makes a plan.</summary>
    /// <exception cref="HeadClusterException">The silos have not the memory, or the strategy cannot do what it was told.</exception>
    /// <exception cref="ArgumentException">The problem contradicts itself, or the strategy's decision does.</exception>
    public static HeadPlan Plan(PlanProblem problem, IPlanStrategy strategy)
    {
        Check(problem);
        var decision = strategy.Decide(problem);
        var memory = UsedMemory(problem, strategy.Name, decision);
        var pricing = new PlanPricing(problem, decision.Coordinator);
        var times = pricing.SiloSeconds(decision.Silos);
        var heads = new int[problem.Silos.Count];
        var places = new HeadPlace[problem.Heads.Count];
        for (var head = 0; head < places.Length; head++)
        {
            heads[decision.Silos[head]]++;
            places[head] = new HeadPlace(problem.Heads[head].Head, problem.Silos[decision.Silos[head]].Silo);
        }

        var silos = problem.Silos.Select((silo, index) => new PlannedSilo(
            silo.Silo,
            silo.Name,
            heads[index],
            memory[index],
            silo.MemoryBytes,
            TimeSpan.FromSeconds(times[index].Compute),
            TimeSpan.FromSeconds(times[index].Transfer)));
        return new HeadPlan(
            problem.Model,
            strategy.Name,
            problem.Shape,
            problem.Silos[decision.Coordinator].Silo,
            places,
            [.. silos],
            TimeSpan.FromSeconds(pricing.RequestSeconds(decision.Silos)),
            decision.Reason,
            strategy.IsBinding);
    }

    /// <summary>What a request is expected to take if the heads stay where they are; null if some are nowhere.</summary>
    public static TimeSpan? PredictPresent(PlanProblem problem)
    {
        Check(problem);
        return problem.Present is { } present && problem.PresentCoordinator >= 0 && present.All(silo => silo >= 0)
            ? TimeSpan.FromSeconds(new PlanPricing(problem, problem.PresentCoordinator).RequestSeconds([.. present]))
            : null;
    }

    private static void Check(PlanProblem problem)
    {
        var silos = problem.Silos.Count;
        if (silos == 0 || problem.Heads.Count == 0)
        {
            throw new ArgumentException($"{problem.Heads.Count} heads of model '{problem.Model}' are to be placed on {silos} silos; expected 1 or more of both", nameof(problem));
        }

        if (problem.Silos.FirstOrDefault(silo => silo.Threads < 1 || !(silo.OperationsPerSecond > 0) || !(silo.ReadBytesPerSecond > 0)) is { } idle)
        {
            throw new ArgumentException($"silo {idle.Name} has {idle.Threads} threads of {idle.OperationsPerSecond} operations and {idle.ReadBytesPerSecond} bytes a second; expected more than 0", nameof(problem));
        }

        if (problem.Present is { } present && (present.Count != problem.Heads.Count || present.Any(silo => silo < -1 || silo >= silos)))
        {
            throw new ArgumentException($"{present.Count} present places do not say for {problem.Heads.Count} heads which of {silos} silos they are on", nameof(problem));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(problem.PresentCoordinator, -1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(problem.PresentCoordinator, silos);
    }

    // Whoever wrote a strategy, no silo is given more than it has.
    private static long[] UsedMemory(PlanProblem problem, string strategy, PlanDecision decision)
    {
        var silos = problem.Silos;
        if (decision.Silos.Length != problem.Heads.Count || decision.Silos.Append(decision.Coordinator).Any(silo => silo < 0 || silo >= silos.Count))
        {
            throw new ArgumentException($"strategy {strategy} did not say for {problem.Heads.Count} heads and a coordinator which of {silos.Count} silos they go to");
        }

        var used = new long[silos.Count];
        used[decision.Coordinator] = problem.Coordinator.WeightBytes;
        for (var head = 0; head < decision.Silos.Length; head++)
        {
            used[decision.Silos[head]] += problem.Heads[head].Bytes;
        }

        for (var silo = 0; silo < used.Length; silo++)
        {
            if (used[silo] > silos[silo].MemoryBytes)
            {
                throw new HeadClusterException(
                    HeadClusterErrorKind.OutOfMemory,
                    $"model '{problem.Model}' does not fit as strategy {strategy} places it: silo {silos[silo].Name} would hold {PlanMemory.Bytes(used[silo])}, {PlanMemory.Bytes(used[silo] - silos[silo].MemoryBytes)} more than it has");
            }
        }

        return used;
    }
}
