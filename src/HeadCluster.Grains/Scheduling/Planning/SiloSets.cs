namespace HeadCluster.Scheduling;

/// <summary>
/// Which silos are worth using. Every silo more makes the heads' part shorter and sending longer, so the coordinator is tried alone,
/// with the silo that helps most, with the two that help most, and so on. What each set takes is estimated with heads that are
/// all alike, by filling the silos up to one level of time, as water fills vessels that are connected.
/// </summary>
internal static class SiloSets
{
    // Of more silos the fastest are tried as coordinators, and sets grow by half rather than by one.
    private const int MostCoordinators = 32;
    private const int GrowsByOneUpTo = 16;
    private const double Precision = 1e-3;

    /// <summary>The sets that were tried, those that promise most first.</summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="layers">Number of layers.</param>
    public static List<SiloSet> Find(PlanProblem problem, int layers)
    {
        var mean = Mean(problem);
        var inLayer = (int)Math.Ceiling(problem.Heads.Count / (double)layers);
        var sets = new List<SiloSet>();
        foreach (var coordinator in Coordinators(problem))
        {
            var pricing = new PlanPricing(problem, coordinator);
            var room = Room(problem, coordinator, mean, layers);
            int[] order = [coordinator, .. HelpfulFirst(problem, pricing, mean, inLayer)];
            for (var size = 1; ; size = Math.Min(order.Length, Math.Max(size + 1, size < GrowsByOneUpTo ? 0 : size * 3 / 2)))
            {
                if (Level(pricing, order.AsSpan(0, size), mean, inLayer, room) is { } level)
                {
                    var seconds = (layers * (level + pricing.LayerSeconds)) + pricing.OnceSeconds;
                    sets.Add(new SiloSet(pricing, order[..size], seconds));
                }

                if (size == order.Length)
                {
                    break;
                }
            }
        }

        sets.Sort((left, right) => left.Seconds.CompareTo(right.Seconds) is var order and not 0 ? order
            : left.Silos.Length.CompareTo(right.Silos.Length) is var size and not 0 ? size
            : left.Pricing.Coordinator - right.Pricing.Coordinator);
        return sets;
    }

    /// <summary>The silos that have the memory to coordinate and may, and of many the fastest; the one that coordinates now always.</summary>
    public static IEnumerable<int> Coordinators(PlanProblem problem) => Enumerable.Range(0, problem.Silos.Count)
        .Where(silo => problem.Silos[silo].MemoryBytes >= problem.Coordinator.WeightBytes)
        .Where(silo => !problem.CoordinatorRests || problem.PresentCoordinator < 0 || silo == problem.PresentCoordinator)
        .OrderByDescending(silo => silo == problem.PresentCoordinator)
        .ThenByDescending(silo => problem.Silos[silo].Threads * problem.Silos[silo].OperationsPerSecond)
        .Take(MostCoordinators);

    private static HeadLoad Mean(PlanProblem problem)
    {
        var count = problem.Heads.Count;
        return new HeadLoad(
            default,
            problem.Heads.Sum(head => head.WeightBytes) / count,
            problem.Heads.Sum(head => head.StateBytes) / count,
            problem.Heads.Sum(head => head.Operations) / count,
            problem.Heads.Sum(head => head.ReadBytes) / count,
            problem.Heads.Sum(head => head.OutputBytes) / count);
    }

    // Heads of one layer that a silo has memory for if all layers share it alike; fractions count, since layers may differ by one.
    private static double[] Room(PlanProblem problem, int coordinator, in HeadLoad mean, int layers)
    {
        var bytes = (double)mean.Bytes * layers;
        var room = new double[problem.Silos.Count];
        for (var silo = 0; silo < room.Length; silo++)
        {
            var free = problem.Silos[silo].MemoryBytes - (silo == coordinator ? problem.Coordinator.WeightBytes : 0);
            room[silo] = bytes > 0 ? free / bytes : double.PositiveInfinity;
        }

        return room;
    }

    // By when each would be done with half of a layer.
    private static IEnumerable<int> HelpfulFirst(PlanProblem problem, PlanPricing pricing, HeadLoad mean, int heads) =>
        Enumerable.Range(0, problem.Silos.Count)
            .Where(silo => silo != pricing.Coordinator)
            .OrderBy(silo =>
            {
                var seconds = pricing.HeadSeconds(silo, mean);
                var half = new SiloWork { Heads = 1, Sum = heads * seconds / 2, Longest = seconds, OutputBytes = mean.OutputBytes * heads / 2, LargestOutput = mean.OutputBytes };
                return pricing.FinishSeconds(silo, half, pricing.SendAlsoTo(silo, default));
            });

    /// <summary>The time by which the silos of a set can be done with a layer; null if they have not the memory.</summary>
    private static double? Level(PlanPricing pricing, ReadOnlySpan<int> silos, in HeadLoad mean, int heads, double[] room)
    {
        var sending = default(Sending);
        var rooms = 0d;
        foreach (var silo in silos)
        {
            sending = pricing.SendAlsoTo(silo, sending);
            rooms += Math.Max(0, room[silo]);
        }

        if (rooms < heads - Precision)
        {
            return null;
        }

        var high = pricing.HeadSeconds(pricing.Coordinator, mean) + double.Epsilon;
        while (HeadsWithin(high, pricing, silos, mean, sending, room) < heads - Precision)
        {
            high *= 2;
        }

        var low = 0d;
        while (high - low > Precision * high)
        {
            var middle = (low + high) / 2;
            (low, high) = HeadsWithin(middle, pricing, silos, mean, sending, room) < heads - Precision ? (middle, high) : (low, middle);
        }

        return high;
    }

    private static double HeadsWithin(
        double seconds, PlanPricing pricing, ReadOnlySpan<int> silos, in HeadLoad mean, in Sending sending, double[] room)
    {
        var heads = 0d;
        foreach (var silo in silos)
        {
            heads += Math.Max(0, Math.Min(Math.Floor(pricing.HeadsWithin(silo, seconds, mean, sending)), room[silo]));
        }

        return heads;
    }
}

/// <summary>Silos that may be used together.</summary>
/// <param name="Pricing">What heads take there, with the coordinator.</param>
/// <param name="Silos">Their indices, the coordinator first.</param>
/// <param name="Seconds">What a request takes on them, estimated.</param>
internal sealed record SiloSet(PlanPricing Pricing, int[] Silos, double Seconds);
