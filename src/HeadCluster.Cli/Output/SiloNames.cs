namespace HeadCluster.Cli.Output;

/// <summary>Silos by the names they were given, since an address with its generation is nothing to read.</summary>
internal sealed class SiloNames
{
    private readonly Dictionary<SiloAddress, string> _names;

    public SiloNames(ClusterStatus status) => _names = status.Silos.ToDictionary(silo => silo.Address, silo => silo.Name);

    /// <summary>The silo's name, or the address of one that has joined or left in between.</summary>
    public string Of(SiloAddress silo) => _names.TryGetValue(silo, out var name) ? name : silo.Endpoint.ToString();
}
