namespace HeadCluster.Scheduling;

/// <summary>
/// Decides which of the heads of a layer that cost the same is where, of which only the number on each silo matters to what silos compute: as
/// many as possible stay where they are, and the coordinator's own come first. The output projection goes through the heads in their order,
/// and so has something to begin with while others compute.
/// </summary>
internal static class PresentPlaces
{
    /// <summary>Whether any head is somewhere now.</summary>
    public static bool Any(PlanProblem problem) => problem.Present is { } present && present.Any(silo => silo >= 0);

    /// <summary>
    /// Exchanges heads of the same class until each silo keeps as many as it gets, and only those beyond move: the coordinator's last, and the
    /// first of the others.
    /// </summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="layers">Its heads by class.</param>
    /// <param name="coordinator">Index of the silo that coordinates.</param>
    /// <param name="silos">Index of the silo of each head.</param>
    public static void Keep(PlanProblem problem, PlanLayers layers, int coordinator, int[] silos)
    {
        var wanted = new int[problem.Silos.Count];
        foreach (var @class in layers.Classes.SelectMany(classes => classes))
        {
            var heads = layers.Heads(@class);
            foreach (var head in heads)
            {
                wanted[silos[head]]++;
            }

            var stays = new bool[heads.Length];
            for (var i = 0; i < heads.Length; i++)
            {
                stays[i] |= TryStay(heads[i], isCoordinators: true);
                stays[^(i + 1)] |= TryStay(heads[^(i + 1)], isCoordinators: false);
            }

            // What is left for those that move: the coordinator's places, and the others' in the order in which they were given.
            var free = new Queue<int>(Enumerable.Repeat(coordinator, wanted[coordinator]));
            wanted[coordinator] = 0;
            foreach (var head in heads)
            {
                if (wanted[silos[head]] > 0)
                {
                    wanted[silos[head]]--;
                    free.Enqueue(silos[head]);
                }
            }

            for (var i = 0; i < heads.Length; i++)
            {
                silos[heads[i]] = stays[i] ? problem.Present![heads[i]] : free.Dequeue();
            }
        }

        bool TryStay(int head, bool isCoordinators)
        {
            if (problem.Present?[head] is not (>= 0 and var silo) || (silo == coordinator) != isCoordinators || wanted[silo] == 0)
            {
                return false;
            }

            wanted[silo]--;
            return true;
        }
    }
}
