namespace HeadCluster.Cli.Output;

/// <summary>Silos by the names they were given, since an address with its generation is nothing to read.</summary>
internal sealed class SiloNames
{
    private readonly Dictionary<SiloAddress, string> _names;

    public SiloNames(ClusterStatus status) => _names = status.Silos.ToDictionary(silo => silo.Address, silo => silo.Name);

    /// <summary>The silo's name, or the address of one that has joined or left in between.</summary>
    public string Of(SiloAddress silo) => _names.TryGetValue(silo, out var name) ? name : silo.Endpoint.ToString();

    /// <summary>The silo of a name, or of an address such as <c>10.0.0.7:11111</c>.</summary>
    /// <exception cref="HeadClusterException">The cluster has none of that name.</exception>
    public SiloAddress Find(string text)
    {
        var found = _names.Where(silo => silo.Value == text || silo.Key.Endpoint.ToString() == text).Select(silo => silo.Key).ToArray();
        return found is [var silo]
            ? silo
            : throw HeadClusterException.NotFound($"there is no silo '{text}'; the cluster has {string.Join(", ", _names.Values.Order(StringComparer.Ordinal))}");
    }
}
