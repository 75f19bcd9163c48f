namespace HeadCluster.Scheduling;

/// <summary>
/// The least predicted time of a request, over the choice of the coordinator, the silos that are used and the split of each layer.
/// It stays with what is there where that is as good, and when a silo has left it moves little but that silo's heads.
/// </summary>
public sealed class MeasuredStrategy : IPlanStrategy
{
    // Heads × silos up to which several sets of silos are tried in full.
    private const long Small = 65_536;
    private const int SetsIfSmall = 8;
    private const int SetsIfLarge = 2;

    /// <inheritdoc/>
    public string Name => PlanStrategies.Measured;

    /// <inheritdoc/>
    public PlanDecision Decide(PlanProblem problem)
    {
        var layers = new PlanLayers(problem.Heads);
        var small = (long)problem.Heads.Count * problem.Silos.Count <= Small;
        var sets = SiloSets.Find(problem, layers.Ranges.Length);
        var best = sets.Take(small ? SetsIfSmall : SetsIfLarge)
            .Select(set => Fill(problem, layers, set))
            .Where(assignment => assignment is not null)
            .Concat(SiloSets.Coordinators(problem).Select(coordinator => PlanMemory.TryPack(problem, coordinator)).Where(packed => packed is not null).Take(1))
            .MinBy(assignment => new PlanPricing(problem, assignment!.Coordinator).RequestSeconds(assignment.Silos))
            ?? throw PlanMemory.Shortage(problem);
        var silos = best.Silos.ToArray();
        PresentPlaces.Keep(problem, layers, silos);
        return new PlanDecision(best.Coordinator, silos, PlanReason.Explain(problem, silos, new PlanPricing(problem, best.Coordinator).RequestSeconds(silos), sets));
    }

    // The layers share the memory: each may take as much of a silo as its part of all the bytes that are still to be placed,
    // and more only if there is no other way. So a silo that is fast and small gets heads of all layers, not all of a few.
    private static PlanAssignment? Fill(PlanProblem problem, PlanLayers layers, SiloSet set)
    {
        var assignment = new PlanAssignment(problem, set.Pricing.Coordinator);
        var works = new SiloWork[problem.Silos.Count];
        var quota = new long[works.Length];
        var sending = set.Silos.Aggregate(default(Sending), (sum, silo) => set.Pricing.SendAlsoTo(silo, sum));
        var remaining = problem.Heads.Sum(head => head.Bytes);
        for (var layer = 0; layer < layers.Ranges.Length; layer++)
        {
            var (start, length) = layers.Ranges[layer].GetOffsetAndLength(problem.Heads.Count);
            var bytes = 0L;
            for (var head = start; head < start + length; head++)
            {
                bytes += problem.Heads[head].Bytes;
            }

            foreach (var silo in set.Silos)
            {
                quota[silo] = (long)(assignment.Free(silo) * (bytes / (double)remaining));
            }

            Array.Clear(works);
            foreach (var @class in layers.Classes[layer])
            {
                var heads = layers.Heads(@class);
                heads = heads[LongestFirst.Place(problem, set.Pricing, heads, set.Silos, sending, works, assignment, quota)..];
                if (heads.IsEmpty)
                {
                    continue;
                }

                foreach (var silo in set.Silos)
                {
                    quota[silo] = assignment.Free(silo);
                }

                if (LongestFirst.Place(problem, set.Pricing, heads, set.Silos, sending, works, assignment, quota) < heads.Length)
                {
                    return null;
                }
            }

            remaining -= bytes;
        }

        return assignment;
    }
}
