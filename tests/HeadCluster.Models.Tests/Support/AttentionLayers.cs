namespace HeadCluster.Models.Tests;

/// <summary>Files of models that are attention layers only.</summary>
internal static class AttentionLayers
{
    /// <summary>As PyTorch's nn.MultiheadAttention stores them.</summary>
    public static ModelFiles Multihead(IReadOnlyList<AttentionProjections> layers, int heads, Func<int, string> prefix)
    {
        var files = new ModelFiles { Config = { ["num_heads"] = heads, ["embed_dim"] = layers[0].Query.Inputs } };
        foreach (var (index, layer) in layers.Index())
        {
            files.Tensors.AddRange(layer.FusedOutputsFirst($"{prefix(index)}in_proj_weight", $"{prefix(index)}in_proj_bias"));
            files.AddLinear($"{prefix(index)}out_proj", layer.Output, outputsFirst: true);
        }

        return files;
    }

    /// <summary>As separate projections, with or without fewer key/value heads.</summary>
    public static ModelFiles Separate(IReadOnlyList<AttentionProjections> layers, int heads, int headDim, Func<int, string> prefix)
    {
        var files = new ModelFiles
        {
            Config =
            {
                ["hidden_size"] = layers[0].Query.Inputs,
                ["num_attention_heads"] = heads,
                ["num_key_value_heads"] = layers[0].KvHeads,
                ["head_dim"] = headDim,
                ["max_position_embeddings"] = 77,
            },
        };
        foreach (var (index, layer) in layers.Index())
        {
            files.AddLinear($"{prefix(index)}q_proj", layer.Query, outputsFirst: true);
            files.AddLinear($"{prefix(index)}k_proj", layer.Key, outputsFirst: true);
            files.AddLinear($"{prefix(index)}v_proj", layer.Value, outputsFirst: true);
            files.AddLinear($"{prefix(index)}o_proj", layer.Output, outputsFirst: true);
        }

        return files;
    }
}
