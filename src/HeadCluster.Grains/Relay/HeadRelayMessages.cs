namespace HeadCluster.Grains;

/// <summary>Asks the heads of one silo for their outputs: x travels once for all of them.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Heads">Indices of the heads that are thought to be there.</param>
/// <param name="Exchange">Where the sender keeps the rest of x and takes large outputs, while it waits for the reply.</param>
/// <param name="Origin">The sender's silo.</param>
/// <param name="Rows">Rows of x.</param>
/// <param name="FirstRows">The first of them, or all.</param>
/// <param name="SequenceLengths">Rows of each sequence.</param>
/// <param name="Patterns">Which heads' reports carry their attention patterns; null for none.</param>
/// <param name="Sequence">The sequence that the rows go on with; null for sequences that are whole.</param>
/// <param name="TimeLimit">How long it may take from its arrival on; null for no limit.</param>
[GenerateSerializer, Immutable, Alias("hc.RelayRequest")]
internal sealed record RelayRequest(
    [property: Id(0)] LayerId Layer,
    [property: Id(1)] int[] Heads,
    [property: Id(2)] Guid Exchange,
    [property: Id(3)] SiloAddress Origin,
    [property: Id(4)] int Rows,
    [property: Id(5)] FloatTensor FirstRows,
    [property: Id(6)] int[] SequenceLengths,
    [property: Id(7)] PatternSelection? Patterns,
    [property: Id(9)] CachedSequence? Sequence,
    [property: Id(8)] TimeSpan? TimeLimit);

/// <summary>What the heads of one silo computed.</summary>
/// <param name="Output">z of the last of the heads side by side, <c>[rows, heads · width]</c>, what had not gone to the exchange before; null if all had.</param>
/// <param name="Reports">One a head, in the order that was asked.</param>
/// <param name="Elapsed">From the request's arrival to this reply.</param>
[GenerateSerializer, Immutable, Alias("hc.RelayReply")]
internal sealed record RelayReply(
    [property: Id(0)] FloatTensor? Output,
    [property: Id(1)] HeadReport[] Reports,
    [property: Id(2)] TimeSpan Elapsed);
