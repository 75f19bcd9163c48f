namespace HeadCluster;

/// <summary>What one head has done since it was activated where it is.</summary>
/// <param name="Head">The head.</param>
/// <param name="Silo">The silo it is on.</param>
/// <param name="WeightBytes">Memory its packed weights take, in bytes.</param>
/// <param name="Requests">Requests it has completed.</param>
/// <param name="QueueP50">Median wait for a compute thread over the last requests.</param>
/// <param name="ProjectP50">Median time of its projections over the last requests.</param>
/// <param name="AttendP50">Median time of its attention over the last requests.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadStatistics")]
public sealed record HeadStatistics(
    [property: Id(0)] HeadId Head,
    [property: Id(1)] SiloAddress Silo,
    [property: Id(2)] long WeightBytes,
    [property: Id(3)] long Requests,
    [property: Id(4)] TimeSpan QueueP50,
    [property: Id(5)] TimeSpan ProjectP50,
    [property: Id(6)] TimeSpan AttendP50);

/// <summary>One silo of the cluster.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Name">Its name.</param>
/// <param name="Status">Its state in the membership table, such as <c>Active</c>.</param>
[GenerateSerializer, Immutable, Alias("hc.SiloInfo")]
public sealed record SiloInfo([property: Id(0)] SiloAddress Address, [property: Id(1)] string Name, [property: Id(2)] string Status);

/// <summary>A model that cannot be used.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Error">What is wrong with it, in one line.</param>
[GenerateSerializer, Immutable, Alias("hc.BrokenModel")]
public sealed record BrokenModel([property: Id(0)] string Name, [property: Id(1)] string Error);

/// <summary>The cluster at one moment.</summary>
/// <param name="Silos">Its silos, ordered by address.</param>
/// <param name="Models">The models it is configured with and those in use, ordered by name.</param>
/// <param name="Heads">The heads that are active, ordered by model, layer and head.</param>
/// <param name="BrokenModels">The models it is configured with that cannot be used, ordered by name.</param>
[GenerateSerializer, Immutable, Alias("hc.ClusterStatus")]
public sealed record ClusterStatus(
    [property: Id(0)] SiloInfo[] Silos,
    [property: Id(1)] ModelDescription[] Models,
    [property: Id(2)] HeadStatistics[] Heads,
    [property: Id(3)] BrokenModel[] BrokenModels);
