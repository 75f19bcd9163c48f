namespace HeadCluster.Scheduling;

/// <summary>
/// Splits each layer over the silos in proportion to weights: every head goes to the silo where it raises heads ÷ weight the
/// least (D'Hondt 1878), and where that is the same, to the one with fewest heads for its weight in the layers before.
/// </summary>
internal static class ProportionalSplit
{
    /// <summary>Decides by weights alone.</summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="weights">A positive weight of each silo.</param>
    /// <param name="reason">Why, in a sentence.</param>
    /// <exception cref="HeadClusterException">The silos have not the memory.</exception>
    public static PlanDecision Decide(PlanProblem problem, double[] weights, string reason)
    {
        var assignment = Coordinators(problem)
            .Select(coordinator => TryPlace(problem, coordinator, weights) ?? PlanMemory.TryPack(problem, coordinator))
            .FirstOrDefault(placed => placed is not null) ?? throw PlanMemory.Shortage(problem);
        var silos = assignment.Silos.ToArray();
        PresentPlaces.Keep(problem, new PlanLayers(problem.Heads), assignment.Coordinator, silos);
        return new PlanDecision(assignment.Coordinator, silos, reason);
    }

    // The silo that coordinates stays; otherwise it is the first that has the memory.
    private static IEnumerable<int> Coordinators(PlanProblem problem) =>
        Enumerable.Range(0, problem.Silos.Count).OrderByDescending(silo => silo == problem.PresentCoordinator);

    private static PlanAssignment? TryPlace(PlanProblem problem, int coordinator, double[] weights)
    {
        var assignment = new PlanAssignment(problem, coordinator);
        if (assignment.Free(coordinator) < 0)
        {
            return null;
        }

        var all = new int[weights.Length];
        foreach (var layer in PlanLayers.RangesOf(problem.Heads))
        {
            var inLayer = new int[weights.Length];
            var next = new PriorityQueue<int, (double InLayer, double InAll, int Silo)>(
                Enumerable.Range(0, weights.Length).Select(silo => (silo, Priority(silo))));
            for (var head = layer.Start.Value; head < layer.End.Value; head++)
            {
                var bytes = problem.Heads[head].Bytes;

                // A silo without room for one head may have it for a smaller one, but a simple rule is what is asked for here.
                int silo;
                while (true)
                {
                    if (!next.TryPeek(out silo, out _))
                    {
                        return null;
                    }

                    if (assignment.Free(silo) >= bytes)
                    {
                        break;
                    }

                    next.Dequeue();
                }

                assignment.Place(head, silo);
                inLayer[silo]++;
                all[silo]++;
                next.DequeueEnqueue(silo, Priority(silo));
            }

            (double InLayer, double InAll, int Silo) Priority(int silo) => ((inLayer[silo] + 1) / weights[silo], (all[silo] + 1) / weights[silo], silo);
        }

        return assignment;
    }
}
