namespace HeadCluster.Scheduling;

/// <summary>Heads in proportion to the silos' threads, as far as their memory goes. It needs no measurement.</summary>
public sealed class CapacityStrategy : IPlanStrategy
{
    /// <inheritdoc/>
    public string Name => PlanStrategies.Capacity;

    /// <inheritdoc/>
    public PlanDecision Decide(PlanProblem problem) => ProportionalSplit.Decide(
        problem,
        [.. problem.Silos.Select(silo => (double)silo.Threads)],
        "the heads of each layer are spread over all silos by their number of threads");
}
