namespace HeadCluster.Grains;

/// <summary>
/// Where a layer's coordinator last saw each head. A route that is wrong costs time and nothing else: heads are called by their
/// names. Used in the turns of one grain only.
/// </summary>
internal sealed class HeadRoutes(int heads)
{
    private readonly SiloAddress?[] _silos = new SiloAddress?[heads];
    private HeadGroup[]? _groups;

    /// <summary>The heads by silo; those without a route are in a group without one.</summary>
    public HeadGroup[] Groups => _groups ??= Group(Enumerable.Range(0, _silos.Length));

    public HeadGroup[] Group(IEnumerable<int> heads) =>
        [.. heads.GroupBy(head => _silos[head]).Select(group => new HeadGroup(group.Key, [.. group]))];

    /// <summary>How many heads a silo has.</summary>
    public int Count(SiloAddress silo) => _silos.Count(silo.Equals);

    public void Set(int head, SiloAddress silo)
    {
        if (!silo.Equals(_silos[head]))
        {
            _silos[head] = silo;
            _groups = null;
        }
    }

    /// <summary>Forgets the routes of heads that lead to a silo.</summary>
    public void Forget(HeadGroup lost)
    {
        foreach (var head in lost.Heads)
        {
            if (Equals(_silos[head], lost.Silo))
            {
                _silos[head] = null;
                _groups = null;
            }
        }
    }
}

/// <summary>A layer's heads, by name and by where they are.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Grains">One reference a key/value head.</param>
/// <param name="Routes">Where each was seen last.</param>
internal sealed record LayerHeads(LayerId Id, IAttentionHeadGrain[] Grains, HeadRoutes Routes);

/// <summary>Heads on one silo.</summary>
/// <param name="Silo">The silo, or null where it is unknown.</param>
/// <param name="Heads">Indices of the heads, ascending.</param>
internal sealed record HeadGroup(SiloAddress? Silo, int[] Heads)
{
    /// <summary>Some heads as text, such as <c>heads 1, 3</c>.</summary>
    public static string Describe(int[] heads) => (heads.Length == 1 ? "head " : "heads ") + string.Join(", ", heads);

    /// <summary>The heads and their silo, such as <c>heads 1, 3 on S127.0.0.1:11111:1</c>.</summary>
    public override string ToString() => $"{Describe(Heads)} on {Silo?.ToString() ?? "any silo"}";
}
