namespace HeadCluster.Scheduling;

/// <summary>What it costs to send between silos: what was measured, and for pairs that were not, what is usual.</summary>
/// <param name="usual">The link between silos of which nothing is known.</param>
/// <param name="measured">Links by the indices of both silos; either order stands for both.</param>
public sealed class SiloLinks(SiloLink usual, IReadOnlyDictionary<(int From, int To), SiloLink>? measured = null)
{
    /// <summary>The link between two silos.</summary>
    public SiloLink Between(int from, int to)
    {
        if (measured is null)
        {
            return usual;
        }

        return measured.TryGetValue((from, to), out var link) || measured.TryGetValue((to, from), out link) ? link : usual;
    }
}
