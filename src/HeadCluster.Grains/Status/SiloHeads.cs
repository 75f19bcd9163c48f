namespace HeadCluster.Grains;

/// <summary>The heads that are active on this silo, which knows them without asking another.</summary>
public sealed class SiloHeads
{
    private readonly LocalGrains _local;

    internal SiloHeads(LocalGrains local) => _local = local;

    /// <summary>Those that are active now, in no particular order.</summary>
    public IReadOnlyList<HeadId> Active => _local.Heads;
}
