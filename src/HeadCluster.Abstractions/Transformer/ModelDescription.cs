namespace HeadCluster;

/// <summary>What a cluster tells about a model.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="LayerCount">Number of attention layers.</param>
/// <param name="ModelDim">Width of the residual stream (d_model).</param>
/// <param name="HeadCount">Query heads of a layer.</param>
/// <param name="KvHeadCount">Key/value heads of a layer: the heads that are scheduled.</param>
/// <param name="HeadDim">Width of a query or key (d_head).</param>
/// <param name="MaxSequenceLength">Positions the model knows; the longest sequence.</param>
/// <param name="VocabularySize">Number of tokens; 0 for a model that is attention layers only.</param>
[GenerateSerializer, Immutable, Alias("hc.ModelDescription")]
public sealed record ModelDescription(
    [property: Id(0)] string Name,
    [property: Id(1)] int LayerCount,
    [property: Id(2)] int ModelDim,
    [property: Id(3)] int HeadCount,
    [property: Id(4)] int KvHeadCount,
    [property: Id(5)] int HeadDim,
    [property: Id(6)] int MaxSequenceLength,
    [property: Id(7)] int VocabularySize);
