using System.Globalization;

namespace HeadCluster.Scheduling;

/// <summary>Says why the fastest plan is the fastest: what a request would take on one silo, or on several.</summary>
internal static class PlanReason
{
    /// <summary>Explains a split.</summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="silos">Index of the silo of each head.</param>
    /// <param name="seconds">What a request takes so, in seconds.</param>
    /// <param name="sets">Sets of silos that were considered, with estimates.</param>
    public static string Explain(PlanProblem problem, ReadOnlySpan<int> silos, double seconds, IReadOnlyList<SiloSet> sets)
    {
        var heads = new int[problem.Silos.Count];
        foreach (var silo in silos)
        {
            heads[silo]++;
        }

        var used = heads.Count(count => count > 0);
        var name = problem.Silos[Array.FindIndex(heads, count => count > 0)].Name;
        if (problem.Silos.Count == 1)
        {
            return $"{name} is the only silo";
        }

        if (used == 1)
        {
            var several = sets.Where(set => set.Silos.Length > 1).Select(set => set.Seconds).DefaultIfEmpty(double.PositiveInfinity).Min();
            return double.IsFinite(several)
                ? $"one silo is fastest here: {Milliseconds(seconds)} on {name} alone, {Milliseconds(several)} on the best {sets.First(set => set.Silos.Length > 1 && set.Seconds == several).Silos.Length}"
                : $"one silo is fastest here: {Milliseconds(seconds)} on {name} alone";
        }

        var alone = sets.Where(set => set.Silos.Length == 1).Select(set => set.Seconds).DefaultIfEmpty(double.PositiveInfinity).Min();
        return double.IsFinite(alone)
            ? $"{used} of {problem.Silos.Count} silos are fastest here: {Milliseconds(seconds)}, on one alone {Milliseconds(alone)}"
            : $"{used} of {problem.Silos.Count} silos are fastest here: {Milliseconds(seconds)}; no silo has the memory for all heads";
    }

    private static string Milliseconds(double seconds) => (seconds * 1000).ToString("0.###", CultureInfo.InvariantCulture) + " ms";
}
