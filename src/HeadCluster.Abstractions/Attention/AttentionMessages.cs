namespace HeadCluster;

/// <summary>Asks a layer for its attention output.</summary>
/// <param name="Input">The layer's input x, <c>[rows, ModelDim]</c>: the sequences one after the other.</param>
/// <param name="SequenceLengths">Rows of each sequence, adding up to all rows; null for one sequence.</param>
/// <param name="Patterns">Which heads' reports carry their attention patterns; null for none. It changes no bit of the output.</param>
/// <param name="Id">The same for each time that the request is sent; empty for one that is never sent again.</param>
/// <param name="TimeLimit">
/// How long it may take from its arrival on, up to 10 minutes; then its work ends on every silo and the answer is an error of kind
/// <see cref="HeadClusterErrorKind.Timeout"/>. Null for no limit of its own.
/// </param>
/// <param name="Sequence">The sequence that the rows go on with, of a causal layer; null for sequences that are whole.</param>
[GenerateSerializer, Immutable, Alias("hc.AttentionRequest")]
public sealed record AttentionRequest(
    [property: Id(0)] FloatTensor Input,
    [property: Id(1)] int[]? SequenceLengths = null,
    [property: Id(2)] PatternSelection? Patterns = null,
    [property: Id(3)] Guid Id = default,
    [property: Id(4)] TimeSpan? TimeLimit = null,
    [property: Id(6)] CachedSequence? Sequence = null)
{
    /// <summary>Whether it came from another process: the input is nobody else's, and whoever serves the request may release it.</summary>
    [field: NonSerialized]
    internal bool HasArrived { get; private set; }

    /// <summary>Written as true by whoever sends the request, and read by whoever receives it.</summary>
    [Id(5)]
    internal bool Arrival
    {
        get => true;
        set => HasArrived = value;
    }
}

/// <summary>A layer's attention output.</summary>
/// <param name="Output">y = Concat(head_1 … head_h) W_O + b_O, <c>[rows, ModelDim]</c>.</param>
/// <param name="Heads">One report a head, in the order of the heads.</param>
/// <param name="Silos">One report a group of heads that was served together; more than one for a silo that was lost meanwhile.</param>
[GenerateSerializer, Immutable, Alias("hc.AttentionResult")]
public sealed record AttentionResult(
    [property: Id(0)] FloatTensor Output, [property: Id(1)] HeadReport[] Heads, [property: Id(2)] SiloReport[] Silos)
{
    /// <summary>How long the layer took, heads and output projection; of a request that was sent in parts, all of them together.</summary>
    [Id(3)]
    public TimeSpan Elapsed { get; init; }

    /// <summary>What was left of the output projection when the last head had answered: the part of it that nothing else explains.</summary>
    [Id(4)]
    public TimeSpan OutputProjection { get; init; }
}

/// <summary>What one silo did for one request of a layer, as the layer's coordinator saw it.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="Heads">Heads that it was asked for.</param>
/// <param name="Elapsed">From the request that was sent to the outputs that were there.</param>
/// <param name="Computing">The part of it that passed on the silo; the rest passed on the way.</param>
/// <param name="Bytes">Inputs and outputs that travelled, in bytes; zero on the coordinator's own silo.</param>
[GenerateSerializer, Immutable, Alias("hc.SiloReport")]
public sealed record SiloReport(
    [property: Id(0)] SiloAddress Silo,
    [property: Id(1)] int Heads,
    [property: Id(2)] TimeSpan Elapsed,
    [property: Id(3)] TimeSpan Computing,
    [property: Id(4)] long Bytes);
