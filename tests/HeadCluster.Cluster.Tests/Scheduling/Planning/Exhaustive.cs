using HeadCluster.Scheduling;

namespace HeadCluster.Tests.Scheduling;

/// <summary>Tries every plan there is.</summary>
internal static class Exhaustive
{
    /// <summary>What a request takes with the best plan that fits, in seconds; infinite if none does.</summary>
    public static double Seconds(PlanProblem problem)
    {
        var best = double.PositiveInfinity;
        for (var coordinator = 0; coordinator < problem.Silos.Count; coordinator++)
        {
            var free = problem.Silos.Select(silo => silo.MemoryBytes).ToArray();
            free[coordinator] -= problem.Coordinator.WeightBytes;
            if (free[coordinator] >= 0)
            {
                best = Math.Min(best, From(problem, new PlanPricing(problem, coordinator), free, new int[problem.Heads.Count], 0));
            }
        }

        return best;
    }

    private static double From(PlanProblem problem, PlanPricing pricing, long[] free, int[] places, int head)
    {
        if (head == places.Length)
        {
            return pricing.RequestSeconds(places);
        }

        var best = double.PositiveInfinity;
        for (var silo = 0; silo < free.Length; silo++)
        {
            if (free[silo] >= problem.Heads[head].Bytes)
            {
                free[silo] -= problem.Heads[head].Bytes;
                places[head] = silo;
                best = Math.Min(best, From(problem, pricing, free, places, head + 1));
                free[silo] += problem.Heads[head].Bytes;
            }
        }

        return best;
    }
}
