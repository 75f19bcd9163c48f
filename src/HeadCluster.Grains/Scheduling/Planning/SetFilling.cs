namespace HeadCluster.Scheduling;

/// <summary>Fills a set of silos with all heads, layer by layer, longest heads first.</summary>
internal static class SetFilling
{
    /// <summary>
    /// Places all heads anew. The layers share the memory: each may take as much of a silo as its part of all the bytes that are
    /// still to be placed, and more only if there is no other way. So a silo that is fast and small gets heads of all layers, not all
    /// heads of a few.
    /// </summary>
    /// <returns>Null if there was no room for a head.</returns>
    public static PlanAssignment? TryFill(PlanProblem problem, PlanLayers layers, SiloSet set)
    {
        var assignment = new PlanAssignment(problem, set.Pricing.Coordinator);
        return TryFill(problem, layers, set.Pricing, set.Silos, assignment) ? assignment : null;
    }

    /// <summary>Leaves heads where they are and places those that are nowhere on the silos that have heads already, or else on any.</summary>
    /// <returns>Null if there was no room for a head.</returns>
    public static PlanAssignment? TrySettle(PlanProblem problem, PlanLayers layers, PlanPricing pricing)
    {
        var assignment = new PlanAssignment(problem, pricing.Coordinator);
        var used = new SortedSet<int> { pricing.Coordinator };
        for (var head = 0; head < problem.Heads.Count; head++)
        {
            if (problem.Present![head] is >= 0 and var silo)
            {
                assignment.Place(head, silo);
                used.Add(silo);
            }
        }

        var all = Enumerable.Range(0, problem.Silos.Count).ToArray();
        return all.All(silo => assignment.Free(silo) >= 0)
            && (TryFill(problem, layers, pricing, [.. used], assignment) || TryFill(problem, layers, pricing, all, assignment))
            ? assignment
            : null;
    }

    // Places the heads of an assignment that are nowhere yet.
    private static bool TryFill(PlanProblem problem, PlanLayers layers, PlanPricing pricing, int[] silos, PlanAssignment assignment)
    {
        var works = new SiloWork[problem.Silos.Count];
        var quota = new long[works.Length];
        var sending = silos.Aggregate(default(Sending), (sum, silo) => pricing.SendAlsoTo(silo, sum));
        var left = Missing(problem, assignment, ..problem.Heads.Count);
        for (var layer = 0; layer < layers.Ranges.Length; layer++)
        {
            var bytes = Missing(problem, assignment, layers.Ranges[layer]);
            foreach (var silo in silos)
            {
                quota[silo] = left > 0 ? (long)(assignment.Free(silo) * (bytes / (double)left)) : 0;
            }

            pricing.Collect(assignment.Silos, layers.Ranges[layer], works);
            foreach (var @class in layers.Classes[layer])
            {
                var heads = layers.Heads(@class).ToArray().Where(head => assignment.Silos[head] < 0).ToArray().AsSpan();
                if (heads.IsEmpty)
                {
                    continue;
                }

                heads = heads[LongestFirst.Place(problem, pricing, heads, silos, sending, works, assignment, quota)..];
                if (heads.IsEmpty)
                {
                    continue;
                }

                foreach (var silo in silos)
                {
                    quota[silo] = assignment.Free(silo);
                }

                if (LongestFirst.Place(problem, pricing, heads, silos, sending, works, assignment, quota) < heads.Length)
                {
                    return false;
                }
            }

            left -= bytes;
        }

        return true;
    }

    private static long Missing(PlanProblem problem, PlanAssignment assignment, Range heads)
    {
        var bytes = 0L;
        var (start, length) = heads.GetOffsetAndLength(problem.Heads.Count);
        for (var head = start; head < start + length; head++)
        {
            bytes += assignment.Silos[head] < 0 ? problem.Heads[head].Bytes : 0;
        }

        return bytes;
    }
}
