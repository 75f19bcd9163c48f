namespace HeadCluster.Grains;

/// <summary>What a head has of one sequence, as it travels with the head to another silo.</summary>
/// <param name="Sequence">Which sequence.</param>
/// <param name="Capacity">Positions that it has in the end, or more.</param>
/// <param name="Rows">Of each position the key, then the value: <c>[positions, HeadDim + ValueDim]</c>.</param>
[GenerateSerializer, Immutable, Alias("hc.SequenceState")]
internal sealed record SequenceState([property: Id(0)] Guid Sequence, [property: Id(1)] int Capacity, [property: Id(2)] FloatTensor Rows);
