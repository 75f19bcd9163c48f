namespace HeadCluster.Scheduling;

/// <summary>Keeps heads where they are: among those of a layer that cost the same it does not matter which is where.</summary>
internal static class PresentPlaces
{
    /// <summary>Whether any head is somewhere now.</summary>
    public static bool Any(PlanProblem problem) => problem.Present is { } present && present.Any(silo => silo >= 0);

    /// <summary>
    /// Exchanges heads of the same class until as many as possible stay: each silo keeps as many as it gets, and only those beyond
    /// move.
    /// </summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="layers">Its heads by class.</param>
    /// <param name="silos">Index of the silo of each head.</param>
    public static void Keep(PlanProblem problem, PlanLayers layers, int[] silos)
    {
        if (problem.Present is not { } present)
        {
            return;
        }

        var wanted = new int[problem.Silos.Count];
        foreach (var @class in layers.Classes.SelectMany(classes => classes))
        {
            var heads = layers.Heads(@class);
            foreach (var head in heads)
            {
                wanted[silos[head]]++;
            }

            var places = new Queue<int>();
            foreach (var head in heads)
            {
                if (present[head] is >= 0 and var silo && wanted[silo] > 0)
                {
                    wanted[silo]--;
                }
                else
                {
                    places.Enqueue(head);
                }
            }

            if (places.Count == 0)
            {
                continue;
            }

            // The places that are left, in the order in which they were given.
            var free = new Queue<int>();
            foreach (var head in heads)
            {
                if (wanted[silos[head]] > 0)
                {
                    wanted[silos[head]]--;
                    free.Enqueue(silos[head]);
                }
            }

            var movers = new HashSet<int>(places);
            foreach (var head in heads)
            {
                silos[head] = movers.Contains(head) ? free.Dequeue() : present[head];
            }
        }
    }
}
