namespace HeadCluster;

/// <summary>How long something took, over the requests of one head since it was activated where it is.</summary>
/// <param name="Recent">Average in which the last request has the weight 1/16, the one before 15/16 of that, and so on; of the first 16, their mean.</param>
/// <param name="P50">Median, to 1 part in 32.</param>
/// <param name="P99">What 99 of 100 requests did not exceed, to 1 part in 32.</param>
/// <param name="Max">The longest.</param>
[GenerateSerializer, Immutable, Alias("hc.DurationStatistics")]
public sealed record DurationStatistics(
    [property: Id(0)] TimeSpan Recent, [property: Id(1)] TimeSpan P50, [property: Id(2)] TimeSpan P99, [property: Id(3)] TimeSpan Max);

/// <summary>What one head has done since it was activated where it is.</summary>
/// <param name="Head">The head.</param>
/// <param name="Silo">The silo it is on.</param>
/// <param name="WeightBytes">Memory its packed weights take, in bytes.</param>
/// <param name="Since">When it was activated, by the clock of its silo.</param>
/// <param name="Requests">Requests it has completed.</param>
/// <param name="Rows">Rows of x that it has computed.</param>
/// <param name="OutputBytes">Outputs z that it has computed, in bytes.</param>
/// <param name="Total">Queue, projection and attention of a request together.</param>
/// <param name="Queue">Waits for rows of x and for compute threads.</param>
/// <param name="Project">Projections.</param>
/// <param name="Attend">Attention.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadStatistics")]
public sealed record HeadStatistics(
    [property: Id(0)] HeadId Head,
    [property: Id(1)] SiloAddress Silo,
    [property: Id(2)] long WeightBytes,
    [property: Id(3)] DateTimeOffset Since,
    [property: Id(4)] long Requests,
    [property: Id(5)] long Rows,
    [property: Id(6)] long OutputBytes,
    [property: Id(7)] DurationStatistics Total,
    [property: Id(8)] DurationStatistics Queue,
    [property: Id(9)] DurationStatistics Project,
    [property: Id(10)] DurationStatistics Attend);

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
