namespace HeadCluster.Scheduling;

/// <summary>Has a strategy decide, checks that what it decided fits, and prices it.</summary>
public static class HeadPlanner
{
    /// <summary>Makes a plan.</summary>
    /// <exception cref="HeadClusterException">The silos have not the memory.</exception>
    public static HeadPlan Plan(PlanProblem problem, IPlanStrategy strategy) => throw new NotImplementedException();

    /// <summary>What a request is expected to take if the heads stay where they are; null if some are nowhere.</summary>
    public static TimeSpan? PredictPresent(PlanProblem problem) => throw new NotImplementedException();
}
