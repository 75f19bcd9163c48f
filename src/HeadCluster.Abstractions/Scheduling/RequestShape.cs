namespace HeadCluster;

/// <summary>Which part of serving a sequence a request is.</summary>
[GenerateSerializer, Alias("hc.RequestPhase")]
public enum RequestPhase
{
    /// <summary>Rows that attend to each other: a prompt, bound by arithmetic.</summary>
    Prefill,

    /// <summary>One row that attends to all before it: a step of generation, bound by the memory that is read.</summary>
    Decode,
}

/// <summary>The requests that heads are placed for.</summary>
/// <param name="Rows">Rows of the prompt; of a decode step the positions that it attends to. 1 or more.</param>
/// <param name="Phase">Whether all rows are computed or one.</param>
[GenerateSerializer, Immutable, Alias("hc.RequestShape")]
public sealed record RequestShape([property: Id(0)] int Rows, [property: Id(1)] RequestPhase Phase = RequestPhase.Prefill);
