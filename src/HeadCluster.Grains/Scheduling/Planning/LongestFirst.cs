namespace HeadCluster.Scheduling;

/// <summary>
/// Longest processing time first (Graham 1969; on silos of different speed Gonzalez, Ibarra and Sahni 1977): the heads of a layer,
/// the longest first, each go to the silo where the layer's part would then end first. For heads that cost the same this is the
/// best split there is; for any others the last silo ends at most one head after the ideal.
/// </summary>
internal static class LongestFirst
{
    // From so many heads of a class on, a heap is faster than looking at every silo for each.
    private const int HeapFrom = 8;

    /// <summary>Places the heads of one class.</summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="pricing">What it takes.</param>
    /// <param name="heads">Heads of one layer that cost the same.</param>
    /// <param name="candidates">Indices of the silos that may be used.</param>
    /// <param name="sending">What sending x takes if all of them are.</param>
    /// <param name="works">What each silo does of the layer so far; those of <paramref name="heads"/> are added.</param>
    /// <param name="assignment">Where the heads are put.</param>
    /// <param name="quota">Memory that the layer may take of each silo, in bytes; what is taken is subtracted.</param>
    /// <returns>Number of heads that were placed; fewer than all if the rest found no room within the quota.</returns>
    public static int Place(
        PlanProblem problem,
        PlanPricing pricing,
        ReadOnlySpan<int> heads,
        ReadOnlySpan<int> candidates,
        in Sending sending,
        SiloWork[] works,
        PlanAssignment assignment,
        long[] quota)
    {
        var load = problem.Heads[heads[0]];
        if (heads.Length < HeapFrom)
        {
            return Scan(pricing, load, heads, candidates, sending, works, assignment, quota);
        }

        var next = new PriorityQueue<int, (double Seconds, int Silo)>(candidates.Length);
        foreach (var silo in candidates)
        {
            Offer(silo, sending);
        }

        var placed = 0;
        while (placed < heads.Length && next.TryDequeue(out var silo, out _))
        {
            Take(heads[placed++], silo, pricing, load, works, assignment, quota);
            Offer(silo, sending);
        }

        return placed;

        void Offer(int silo, in Sending sent)
        {
            if (quota[silo] >= load.Bytes)
            {
                var work = works[silo].With(pricing.HeadSeconds(silo, load), load);
                next.Enqueue(silo, (pricing.FinishSeconds(silo, work, sent), silo));
            }
        }
    }

    private static int Scan(
        PlanPricing pricing,
        in HeadLoad load,
        ReadOnlySpan<int> heads,
        ReadOnlySpan<int> candidates,
        in Sending sending,
        SiloWork[] works,
        PlanAssignment assignment,
        long[] quota)
    {
        for (var placed = 0; placed < heads.Length; placed++)
        {
            var best = -1;
            var least = double.PositiveInfinity;
            foreach (var silo in candidates)
            {
                if (quota[silo] < load.Bytes)
                {
                    continue;
                }

                var seconds = pricing.FinishSeconds(silo, works[silo].With(pricing.HeadSeconds(silo, load), load), sending);
                if (seconds < least)
                {
                    (best, least) = (silo, seconds);
                }
            }

            if (best < 0)
            {
                return placed;
            }

            Take(heads[placed], best, pricing, load, works, assignment, quota);
        }

        return heads.Length;
    }

    private static void Take(
        int head, int silo, PlanPricing pricing, in HeadLoad load, SiloWork[] works, PlanAssignment assignment, long[] quota)
    {
        assignment.Place(head, silo);
        works[silo] = works[silo].With(pricing.HeadSeconds(silo, load), load);
        quota[silo] -= load.Bytes;
    }
}
