namespace HeadCluster.Scheduling;

/// <summary>As many heads of each layer on every silo, whatever the silos can do, as far as their memory goes.</summary>
public sealed class EvenStrategy : IPlanStrategy
{
    /// <inheritdoc/>
    public string Name => PlanStrategies.Even;

    /// <inheritdoc/>
    public PlanDecision Decide(PlanProblem problem)
    {
        var weights = new double[problem.Silos.Count];
        weights.AsSpan().Fill(1);
        return ProportionalSplit.Decide(problem, weights, "the heads of each layer are spread evenly over all silos");
    }
}
