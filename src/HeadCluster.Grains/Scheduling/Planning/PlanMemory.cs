namespace HeadCluster.Scheduling;

/// <summary>Whether a model fits into the memory of the silos, and by how much it does not.</summary>
internal static class PlanMemory
{
    // Heads of one size always pack; the search is for fleets of a few silos with heads of several sizes.
    private const int SearchSteps = 200_000;

    /// <summary>
    /// Puts every head somewhere, without regard to time. Heads of one size are put wherever there is room, which is exact;
    /// those of several sizes largest first where the least room is left over (best fit decreasing, Johnson 1973), and where
    /// that leaves some over, by a search.
    /// </summary>
    /// <returns>Null if a head was left over.</returns>
    public static PlanAssignment? TryPack(PlanProblem problem, int coordinator)
    {
        var assignment = new PlanAssignment(problem, coordinator);
        if (assignment.Free(coordinator) < 0)
        {
            return null;
        }

        var order = LargestFirst(problem.Heads);
        if (PackBestFit(problem, assignment, order) == 0)
        {
            return assignment;
        }

        if (problem.Heads[order[0]].Bytes == problem.Heads[order[^1]].Bytes)
        {
            return null;
        }

        assignment = new PlanAssignment(problem, coordinator);
        var steps = SearchSteps;
        return Search(problem, assignment, order, 0, ref steps) ? assignment : null;
    }

    /// <summary>Says that a model does not fit, and by how many bytes.</summary>
    public static HeadClusterException Shortage(PlanProblem problem)
    {
        var roomiest = problem.Silos.MaxBy(silo => silo.MemoryBytes)!;
        var largest = problem.Heads.MaxBy(head => head.Bytes);
        if (largest.Bytes > roomiest.MemoryBytes)
        {
            return Fail($"head {largest.Head} takes {Bytes(largest.Bytes)}, {Bytes(largest.Bytes - roomiest.MemoryBytes)} more than silo {roomiest.Name} has, the one with the most memory");
        }

        var own = problem.Coordinator.WeightBytes;
        if (own > roomiest.MemoryBytes)
        {
            return Fail($"its coordinators take {Bytes(own)}, {Bytes(own - roomiest.MemoryBytes)} more than silo {roomiest.Name} has, the one with the most memory");
        }

        var needed = own + problem.Heads.Sum(head => head.Bytes);
        var present = problem.Silos.Sum(silo => silo.MemoryBytes);
        return needed > present
            ? Fail($"it takes {Bytes(needed)}, the memory of {Silos(problem.Silos.Count)} is {Bytes(present)}, {Bytes(needed - present)} too little")
            : Fail($"the memory of {Silos(problem.Silos.Count)} is {Bytes(present)} and enough in total, but heads of {Bytes(LeftOver(problem))} find no silo that has room for a whole one");

        HeadClusterException Fail(string what) => new(HeadClusterErrorKind.OutOfMemory, $"model '{problem.Model}' does not fit: {what}");
    }

    /// <summary>A number of bytes, exact.</summary>
    public static string Bytes(long bytes) => FormattableString.Invariant($"{bytes:N0} bytes");

    private static string Silos(int count) => count == 1 ? "the one silo" : FormattableString.Invariant($"all {count} silos");

    // The heads that are left over in the best of the packings that were found.
    private static long LeftOver(PlanProblem problem)
    {
        var order = LargestFirst(problem.Heads);
        return Enumerable.Range(0, problem.Silos.Count)
            .Where(silo => problem.Silos[silo].MemoryBytes >= problem.Coordinator.WeightBytes)
            .Min(silo => PackBestFit(problem, new PlanAssignment(problem, silo), order));
    }

    private static int[] LargestFirst(IReadOnlyList<HeadLoad> heads)
    {
        var order = Enumerable.Range(0, heads.Count).ToArray();
        order.AsSpan().Sort((left, right) =>
            heads[right].Bytes.CompareTo(heads[left].Bytes) is var size and not 0 ? size : left - right);
        return order;
    }

    // Returns the bytes of the heads that found no room.
    private static long PackBestFit(PlanProblem problem, PlanAssignment assignment, int[] order)
    {
        var left = 0L;
        foreach (var head in order)
        {
            var bytes = problem.Heads[head].Bytes;
            var best = -1;
            for (var silo = 0; silo < problem.Silos.Count; silo++)
            {
                if (assignment.Free(silo) >= bytes && (best < 0 || assignment.Free(silo) < assignment.Free(best)))
                {
                    best = silo;
                }
            }

            if (best < 0)
            {
                left += bytes;
            }
            else
            {
                assignment.Place(head, best);
            }
        }

        return left;
    }

    private static bool Search(PlanProblem problem, PlanAssignment assignment, int[] order, int index, ref int steps)
    {
        if (index == order.Length)
        {
            return true;
        }

        var head = order[index];
        var bytes = problem.Heads[head].Bytes;
        for (var silo = 0; silo < problem.Silos.Count && --steps > 0; silo++)
        {
            if (assignment.Free(silo) < bytes || HasTwin(assignment, silo))
            {
                continue;
            }

            assignment.Place(head, silo);
            if (Search(problem, assignment, order, index + 1, ref steps))
            {
                return true;
            }

            assignment.Remove(head);
        }

        return false;
    }

    // A silo with as much room as one before it has been tried already.
    private static bool HasTwin(PlanAssignment assignment, int silo)
    {
        for (var other = 0; other < silo; other++)
        {
            if (assignment.Free(other) == assignment.Free(silo))
            {
                return true;
            }
        }

        return false;
    }
}
