namespace HeadCluster;

/// <summary>Asks a layer for its attention output.</summary>
/// <param name="Input">The layer's input x, <c>[rows, ModelDim]</c>: the sequences one after the other.</param>
/// <param name="SequenceLengths">Rows of each sequence, adding up to all rows; null for one sequence.</param>
/// <param name="CapturePatterns">Whether each head's report carries its attention pattern; it changes no bit of the output.</param>
[GenerateSerializer, Immutable, Alias("hc.AttentionRequest")]
public sealed record AttentionRequest(
    [property: Id(0)] FloatTensor Input,
    [property: Id(1)] int[]? SequenceLengths = null,
    [property: Id(2)] bool CapturePatterns = false);

/// <summary>A layer's attention output.</summary>
/// <param name="Output">y = Concat(head_1 … head_h) W_O + b_O, <c>[rows, ModelDim]</c>.</param>
/// <param name="Heads">One report a head, in the order of the heads.</param>
[GenerateSerializer, Immutable, Alias("hc.AttentionResult")]
public sealed record AttentionResult([property: Id(0)] FloatTensor Output, [property: Id(1)] HeadReport[] Heads);
