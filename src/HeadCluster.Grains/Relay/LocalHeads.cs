using System.Collections.Concurrent;

namespace HeadCluster.Grains;

/// <summary>The heads that are active on this silo.</summary>
internal sealed class LocalHeads
{
    private readonly ConcurrentDictionary<HeadId, bool> _heads = new();

    public bool Contains(HeadId head) => _heads.ContainsKey(head);

    public void Add(HeadId head) => _heads[head] = true;

    public void Remove(HeadId head) => _heads.TryRemove(head, out _);

    /// <summary>How many of each model.</summary>
    public IEnumerable<KeyValuePair<string, int>> CountByModel() => _heads.Keys.CountBy(head => head.Model);
}
