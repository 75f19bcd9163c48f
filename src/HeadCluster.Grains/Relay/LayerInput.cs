namespace HeadCluster.Grains;

/// <summary>What all heads of a layer are asked alike.</summary>
/// <param name="Rows">x, all of it or still arriving.</param>
/// <param name="SequenceLengths">Rows of each sequence.</param>
/// <param name="Patterns">Which heads' reports carry their attention patterns; null for none.</param>
/// <param name="Sequence">The sequence that the rows go on with; null for sequences that are whole.</param>
/// <param name="Turn">The request's turn on the compute threads of this silo.</param>
internal sealed record LayerInput(ArrivingRows Rows, int[] SequenceLengths, PatternSelection? Patterns, CachedSequence? Sequence, long Turn);
