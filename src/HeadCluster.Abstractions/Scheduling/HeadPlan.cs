namespace HeadCluster;

/// <summary>Where the heads of a model belong, what a request is expected to take there, and why.</summary>
/// <param name="Model">The model.</param>
/// <param name="Strategy">Name of the strategy that made it, such as <c>Measured</c>.</param>
/// <param name="Shape">The requests it is made for.</param>
/// <param name="Coordinator">The silo where the model's layers are coordinated.</param>
/// <param name="Heads">Where each head belongs, ordered by layer, then by head.</param>
/// <param name="Silos">Every silo that could have been used, those without heads included, ordered by address.</param>
/// <param name="Predicted">What a request is expected to take in all layers.</param>
/// <param name="Reason">Why it is so, in a sentence.</param>
/// <param name="IsBinding">Whether it is carried out whatever it promises; if not, only if it is worth it.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadPlan")]
public sealed record HeadPlan(
    [property: Id(0)] string Model,
    [property: Id(1)] string Strategy,
    [property: Id(2)] RequestShape Shape,
    [property: Id(3)] SiloAddress Coordinator,
    [property: Id(4)] HeadPlace[] Heads,
    [property: Id(5)] PlannedSilo[] Silos,
    [property: Id(6)] TimeSpan Predicted,
    [property: Id(7)] string Reason,
    [property: Id(8)] bool IsBinding = false);

/// <summary>Where one head belongs.</summary>
/// <param name="Head">The head.</param>
/// <param name="Silo">The silo.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadPlace")]
public readonly record struct HeadPlace([property: Id(0)] HeadId Head, [property: Id(1)] SiloAddress Silo);

/// <summary>One silo's part of a plan.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="Name">Its name.</param>
/// <param name="Heads">Heads that belong there.</param>
/// <param name="Bytes">Memory that they and, on the coordinator's silo, W_O take, in bytes.</param>
/// <param name="MemoryBytes">Memory that the silo has for them, in bytes.</param>
/// <param name="Compute">Time a request spends there with its heads, in all layers.</param>
/// <param name="Transfer">Time that inputs and outputs of a request are on their way to it and back, in all layers; zero for the coordinator's own.</param>
[GenerateSerializer, Immutable, Alias("hc.PlannedSilo")]
public sealed record PlannedSilo(
    [property: Id(0)] SiloAddress Silo,
    [property: Id(1)] string Name,
    [property: Id(2)] int Heads,
    [property: Id(3)] long Bytes,
    [property: Id(4)] long MemoryBytes,
    [property: Id(5)] TimeSpan Compute,
    [property: Id(6)] TimeSpan Transfer);
