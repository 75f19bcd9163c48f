namespace HeadCluster.Models;

/// <summary>
/// Layers of PyTorch's <c>nn.MultiheadAttention</c>: <c>in_proj_weight</c> <c>[3d, d]</c> with queries, keys and values one below
/// the other, and <c>out_proj.weight</c> <c>[d, d]</c>; biases may be missing. Attention only.
/// </summary>
/// <remarks>Like PyTorch's, a layer is causal only if <c>config.json</c> says <c>"causal": true</c>.</remarks>
internal static class MultiheadAttentionLayout
{
    public const string FusedWeights = "in_proj_weight";

    public static Checkpoint Read(ConfigFile config, TensorCatalog tensors, IReadOnlyList<string> prefixes)
    {
        var dim = config.Size("embed_dim");
        var heads = config.Size("num_heads");
        var headDim = config.Share("embed_dim", dim, "num_heads", heads);
        var model = new ModelConfiguration
        {
            LayerCount = prefixes.Count,
            ModelDim = dim,
            HeadCount = heads,
            KvHeadCount = heads,
            HeadDim = headDim,
            ValueDim = headDim,
            MaxSequenceLength = config.OptionalSize("max_sequence_length") ?? AttentionOnly.DefaultMaxSequenceLength,
            Causal = config.Flag("causal", otherwise: false),
            Scale = AttentionScale.Of(headDim),
            Softcap = config.OptionalPositive("attn_logit_softcapping") ?? 0,
        };
        AttentionOnly.CheckLayerCount(config, prefixes.Count);
        return new(model, [.. prefixes.Select(prefix => StoredAttention.Fused(
            StoredLinear.Take(tensors, $"{prefix}{FusedWeights}", $"{prefix}in_proj_bias", WeightOrder.OutputsFirst, dim, 3 * dim),
            StoredLinear.Take(tensors, $"{prefix}out_proj", WeightOrder.OutputsFirst, dim, dim)))]);
    }
}
