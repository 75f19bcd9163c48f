namespace HeadCluster.Models;

/// <summary>
/// Layers of separate <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c> and <c>o_proj</c>, weights <c>[out, in]</c>, biases optional,
/// with key/value heads that may be fewer than query heads. Attention only, without rotary positions.
/// </summary>
/// <remarks>
/// Models with such names are decoders, so a layer is causal unless <c>config.json</c> says <c>"causal": false</c>. The width of
/// a value is what <c>v_proj</c> has for one head, and may differ from <c>head_dim</c>.
/// </remarks>
internal static class SeparateProjectionsLayout
{
    public const string QueryWeights = "q_proj.weight";

    public static Checkpoint Read(ConfigFile config, TensorCatalog tensors, IReadOnlyList<string> prefixes)
    {
        var model = ReadConfiguration(config, tensors, prefixes);
        var queryDim = model.HeadCount * model.HeadDim;
        var keyDim = model.KvHeadCount * model.HeadDim;
        var valueDim = model.KvHeadCount * model.ValueDim;
        AttentionOnly.CheckLayerCount(config, prefixes.Count);
        return new(model, [.. prefixes.Select(prefix => new StoredAttention(
            StoredLinear.Take(tensors, $"{prefix}q_proj", WeightOrder.OutputsFirst, model.ModelDim, queryDim),
            StoredLinear.Take(tensors, $"{prefix}k_proj", WeightOrder.OutputsFirst, model.ModelDim, keyDim),
            StoredLinear.Take(tensors, $"{prefix}v_proj", WeightOrder.OutputsFirst, model.ModelDim, valueDim),
            StoredLinear.Take(tensors, $"{prefix}o_proj", WeightOrder.OutputsFirst, model.HeadCount * model.ValueDim, model.ModelDim)))]);
    }

    private static ModelConfiguration ReadConfiguration(ConfigFile config, TensorCatalog tensors, IReadOnlyList<string> prefixes)
    {
        var dim = config.Size("hidden_size");
        var heads = config.Size("num_attention_heads");
        var kvHeads = config.OptionalSize("num_key_value_heads") ?? heads;
        config.Share("num_attention_heads", heads, "num_key_value_heads", kvHeads);
        var headDim = config.OptionalSize("head_dim") ?? config.Share("hidden_size", dim, "num_attention_heads", heads);
        var valueDim = FindValueDim(tensors, $"{prefixes[0]}v_proj.weight", kvHeads);
        if ((long)heads * Math.Max(headDim, valueDim) > ConfigFile.LargestSize)
        {
            throw new ModelException(
                $"{config.Path}: {heads} heads of {Math.Max(headDim, valueDim)} are too wide; expected {ConfigFile.LargestSize} elements at most");
        }

        return new()
        {
            LayerCount = prefixes.Count,
            ModelDim = dim,
            HeadCount = heads,
            KvHeadCount = kvHeads,
            HeadDim = headDim,
            ValueDim = valueDim,
            MaxSequenceLength = config.OptionalSize("max_position_embeddings", "max_sequence_length") ?? AttentionOnly.DefaultMaxSequenceLength,
            Causal = config.Flag("causal", otherwise: true),
            Scale = AttentionScale.Of(headDim),
            Softcap = config.OptionalPositive("attn_logit_softcapping") ?? 0,
        };
    }

    private static int FindValueDim(TensorCatalog tensors, string name, int kvHeads)
    {
        var shape = tensors.ShapeOf(name);
        return shape is [var rows and > 0 and <= ConfigFile.LargestSize, _] && rows % kvHeads == 0
            ? (int)(rows / kvHeads)
            : throw new ModelException($"tensor {Quote.Text(name)} has shape {Quote.Shape(shape)}; expected rows for {kvHeads} key/value heads");
    }
}
