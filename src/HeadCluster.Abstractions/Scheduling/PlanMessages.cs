namespace HeadCluster;

/// <summary>What to plan by.</summary>
/// <param name="Strategy">Name of the strategy; null for the one that the cluster is configured with.</param>
/// <param name="Shape">The requests to plan for; null for those that the model served last.</param>
/// <param name="OnlyIfWorthIt">
/// Whether to leave heads where they are unless that promises a tenth of a request's time, and those that moved within the last minute.
/// </param>
[GenerateSerializer, Immutable, Alias("hc.PlanRequest")]
public sealed record PlanRequest(
    [property: Id(0)] string? Strategy = null,
    [property: Id(1)] RequestShape? Shape = null,
    [property: Id(2)] bool OnlyIfWorthIt = false);

/// <summary>A plan beside what is.</summary>
/// <param name="Plan">Where the heads would be.</param>
/// <param name="Present">Where they are now, with what a request is expected to take there; null if not all are active.</param>
/// <param name="Moves">Heads that would move.</param>
/// <param name="MoveBytes">Weights and state that would be loaded elsewhere, in bytes.</param>
[GenerateSerializer, Immutable, Alias("hc.PlanPreview")]
public sealed record PlanPreview(
    [property: Id(0)] HeadPlan Plan,
    [property: Id(1)] HeadPlan? Present,
    [property: Id(2)] int Moves,
    [property: Id(3)] long MoveBytes);

/// <summary>One move that has been made.</summary>
/// <param name="Head">The head; null for the model's coordinators, which move together.</param>
/// <param name="From">Where it was; null if it was not active.</param>
/// <param name="To">Where it is.</param>
/// <param name="Bytes">Weights that were loaded there, in bytes.</param>
/// <param name="Elapsed">From the decision to the head's answer from there, loading included, during which it served on.</param>
/// <param name="Done">Moves of this plan that have been made, this one included.</param>
/// <param name="Total">Moves of this plan.</param>
[GenerateSerializer, Immutable, Alias("hc.MoveReport")]
public sealed record MoveReport(
    [property: Id(0)] HeadId? Head,
    [property: Id(1)] SiloAddress? From,
    [property: Id(2)] SiloAddress To,
    [property: Id(3)] long Bytes,
    [property: Id(4)] TimeSpan Elapsed,
    [property: Id(5)] int Done = 1,
    [property: Id(6)] int Total = 1);
