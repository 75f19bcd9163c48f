namespace HeadCluster.Silo;

/// <summary>How silos find each other.</summary>
public enum SiloClustering
{
    /// <summary>On one machine: the silo on the primary port keeps the list of silos, which is lost with it.</summary>
    Localhost,

    /// <summary>By a list in Redis; no silo is special.</summary>
    Redis,

    /// <summary>By tables in PostgreSQL; no silo is special.</summary>
    AdoNet,
}
