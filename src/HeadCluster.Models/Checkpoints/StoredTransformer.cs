namespace HeadCluster.Models;

/// <summary>A layer norm in a file.</summary>
internal sealed record StoredNorm(StoredTensor Scale, StoredTensor? Bias)
{
    public static StoredNorm Take(TensorCatalog tensors, string name, int dim) =>
        new(tensors.Take($"{name}.weight", dim), tensors.TakeOptional($"{name}.bias", dim));

    public NormWeights Read() => new(Scale.Read(), Bias?.Read());
}

/// <summary>What a block in a file holds besides its attention.</summary>
internal sealed record StoredBlock(StoredNorm AttentionNorm, StoredNorm FeedForwardNorm, StoredLinear Up, StoredLinear Down)
{
    public BlockWeights Read() => new(AttentionNorm.Read(), FeedForwardNorm.Read(), Up.Read(), Down.Read());
}

/// <summary>What a GPT in a file holds besides its attention layers.</summary>
internal sealed record StoredTransformer(
    IReadOnlyList<StoredBlock> Blocks, StoredTensor TokenEmbedding, StoredTensor PositionEmbedding, StoredNorm FinalNorm, StoredLinear Logits)
{
    /// <summary>The weight matrices; the embeddings are tables, from which rows are taken.</summary>
    public IEnumerable<StoredTensor> Matrices => Blocks.SelectMany(block => new[] { block.Up.Weights, block.Down.Weights }).Append(Logits.Weights);

    public TransformerWeights Read() => new(TokenEmbedding.Read(), PositionEmbedding.Read(), FinalNorm.Read(), Logits.Read());
}
