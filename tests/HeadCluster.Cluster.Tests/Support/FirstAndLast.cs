using HeadCluster.Scheduling;

namespace HeadCluster.Tests;

/// <summary>A strategy of one's own, by which nothing is where it would be without a plan: the first silo coordinates, and the last has all heads.</summary>
internal sealed class FirstAndLast : IPlanStrategy
{
    public string Name => nameof(FirstAndLast);

    public PlanDecision Decide(PlanProblem problem) =>
        new(Coordinator: 0, [.. Enumerable.Repeat(problem.Silos.Count - 1, problem.Heads.Count)], "the first and the last");
}
