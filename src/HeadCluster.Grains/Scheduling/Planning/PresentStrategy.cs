namespace HeadCluster.Scheduling;

/// <summary>Leaves every head where it is, to see what that costs. Every head must be somewhere.</summary>
internal sealed class PresentStrategy : IPlanStrategy
{
    public static PresentStrategy Instance { get; } = new();

    public string Name => "Present";

    /// <summary>
    /// The plan that leaves everything where it is; null if some of it is nowhere, or if not all that may be asked for there would fit.
    /// </summary>
    public static HeadPlan? Plan(PlanProblem problem)
    {
        if (problem.PresentCoordinator < 0 || problem.Present is not { } present || present.Any(silo => silo < 0))
        {
            return null;
        }

        try
        {
            return HeadPlanner.Plan(problem, Instance);
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.OutOfMemory)
        {
            return null;
        }
    }

    public PlanDecision Decide(PlanProblem problem) => new(problem.PresentCoordinator, [.. problem.Present!], "where the heads are now");
}
