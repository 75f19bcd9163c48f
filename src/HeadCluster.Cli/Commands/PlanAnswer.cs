using HeadCluster.Cli.Output;

namespace HeadCluster.Cli.Commands;

/// <summary>The JSON of <c>plan</c>.</summary>
internal sealed record PlanAnswer(
    string Model,
    string Strategy,
    int Rows,
    bool Decode,
    string Reason,
    string Coordinator,
    double PredictedMilliseconds,
    double? PresentMilliseconds,
    int Moves,
    long MoveBytes,
    IReadOnlyList<PlannedSiloAnswer> Silos,
    IReadOnlyList<PlannedHeadAnswer> Heads,
    IReadOnlyList<MoveAnswer> Made)
{
    public static PlanAnswer Of(PlanPreview preview, IEnumerable<MoveReport> made, SiloNames names)
    {
        var (plan, present) = (preview.Plan, preview.Present);
        var now = present?.Heads.ToDictionary(place => place.Head, place => place.Silo);
        return new PlanAnswer(
            plan.Model,
            plan.Strategy,
            plan.Shape.Rows,
            plan.Shape.Phase == RequestPhase.Decode,
            plan.Reason,
            names.Of(plan.Coordinator),
            plan.Predicted.TotalMilliseconds,
            present?.Predicted.TotalMilliseconds,
            preview.Moves,
            preview.MoveBytes,
            [.. plan.Silos.Select(silo => new PlannedSiloAnswer(
                silo.Name,
                present?.Silos.FirstOrDefault(other => other.Silo.Equals(silo.Silo))?.Heads,
                silo.Heads,
                silo.Bytes,
                silo.MemoryBytes,
                silo.Compute.TotalMilliseconds,
                silo.Transfer.TotalMilliseconds))],
            [.. plan.Heads.Select(place => new PlannedHeadAnswer(
                place.Head.Layer,
                place.Head.KvHead,
                now is not null && now.TryGetValue(place.Head, out var silo) ? names.Of(silo) : null,
                names.Of(place.Silo)))],
            [.. made.Select(move => MoveAnswer.Of(move, names))]);
    }
}

/// <summary>A silo of <see cref="PlanAnswer"/>.</summary>
internal sealed record PlannedSiloAnswer(
    string Name, int? HeadsNow, int Heads, long Bytes, long MemoryBytes, double ComputeMilliseconds, double TransferMilliseconds);

/// <summary>A head of <see cref="PlanAnswer"/>, with its silo now, if it is active, and by the plan.</summary>
internal sealed record PlannedHeadAnswer(int Layer, int Head, string? Now, string Silo);

/// <summary>The JSON of <c>move</c>, <c>drain</c> and <c>rebalance</c>.</summary>
internal sealed record MovesAnswer(IReadOnlyList<MoveAnswer> Moves)
{
    public static MovesAnswer Of(IEnumerable<MoveReport> moves, SiloNames names) => new([.. moves.Select(move => MoveAnswer.Of(move, names))]);
}

/// <summary>A move that was made; without a head it is that of a coordinator.</summary>
internal sealed record MoveAnswer(string? Head, string? From, string To, long Bytes, double Milliseconds)
{
    public static MoveAnswer Of(MoveReport move, SiloNames names) => new(
        move.Head?.ToString(), move.From is null ? null : names.Of(move.From), names.Of(move.To), move.Bytes, move.Elapsed.TotalMilliseconds);
}
