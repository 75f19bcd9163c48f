namespace HeadCluster.Models;

/// <summary>
/// GPT-2 as minGPT, nanoGPT and Hugging Face store it: <c>transformer.h.N.attn.c_attn.weight</c> and so on; Hugging Face's base
/// model leaves <c>transformer.</c> out. Every bias may be missing.
/// </summary>
/// <remarks>
/// Hugging Face stores weights as <c>[in, out]</c>, the others as <c>[out, in]</c>. The first layer's <c>c_attn</c> tells which,
/// for <c>[d, 3d]</c> and <c>[3d, d]</c> never agree; all matrices of a model lie the same way, square ones too. Only
/// <c>lm_head</c> is always <c>[out, in]</c>; where it is missing and the model does not say otherwise, it is the token embedding.
/// </remarks>
internal static class GptLayout
{
    public const string FusedWeights = "attn.c_attn.weight";

    private const string Transformer = "transformer.";
    private const float DefaultNormEpsilon = 1e-5f;

    public static Checkpoint Read(ConfigFile config, TensorCatalog tensors)
    {
        RefuseOptions(config);
        var model = ReadConfiguration(config);
        var prefix = tensors.Names.Any(name => name.StartsWith(Transformer, StringComparison.Ordinal)) ? Transformer : "";
        var order = FindOrder(tensors, $"{prefix}h.0.{FusedWeights}", model.ModelDim);

        var attention = new List<StoredAttention>();
        var blocks = new List<StoredBlock>();
        for (var layer = 0; layer < model.LayerCount; layer++)
        {
            var block = $"{prefix}h.{layer}.";
            attention.Add(TakeAttention(tensors, block, order, model.ModelDim));
            blocks.Add(TakeBlock(tensors, block, order, model.ModelDim, model.Transformer!.FeedForwardDim));
        }

        var embedding = tensors.Take($"{prefix}wte.weight", model.Transformer!.VocabularySize, model.ModelDim);
        return new(model, attention, new(
            blocks,
            embedding,
            tensors.Take($"{prefix}wpe.weight", model.MaxSequenceLength, model.ModelDim),
            StoredNorm.Take(tensors, $"{prefix}ln_f", model.ModelDim),
            TakeLogits(config, tensors, embedding, model)));
    }

    private static void RefuseOptions(ConfigFile config)
    {
        foreach (var key in (string[])["scale_attn_by_inverse_layer_idx", "add_cross_attention"])
        {
            if (config.Flag(key, otherwise: false))
            {
                throw config.Invalid(key, "false, for the other is not supported");
            }
        }

        if (!config.Flag("causal", otherwise: true))
        {
            throw config.Invalid("causal", "true, for the other is not supported");
        }
    }

    private static ModelConfiguration ReadConfiguration(ConfigFile config)
    {
        var dim = config.Size("n_embd");
        var heads = config.Size("n_head");
        var headDim = config.Share("n_embd", dim, "n_head", heads);
        return new()
        {
            LayerCount = config.Size("n_layer"),
            ModelDim = dim,
            HeadCount = heads,
            KvHeadCount = heads,
            HeadDim = headDim,
            ValueDim = headDim,
            MaxSequenceLength = config.Size("n_positions", "n_ctx", "block_size"),
            Causal = true,
            Scale = config.Flag("scale_attn_weights", otherwise: true) ? AttentionScale.Of(headDim) : 1,
            Softcap = config.OptionalPositive("attn_logit_softcapping") ?? 0,
            Transformer = new()
            {
                VocabularySize = config.Size("vocab_size"),
                FeedForwardDim = config.OptionalSize("n_inner") ?? 4 * dim,
                NormEpsilon = config.OptionalPositive("layer_norm_epsilon") ?? DefaultNormEpsilon,
                Activation = ReadActivation(config),
            },
        };
    }

    private static Activation ReadActivation(ConfigFile config)
    {
        const string Key = "activation_function";
        return (config.OptionalText(Key), config.OptionalText("model_type")) switch
        {
            ("gelu_new" or "gelu_tanh" or "gelu_pytorch_tanh", _) => Activation.GeluTanh,
            ("gelu" or "gelu_erf", _) => Activation.GeluErf,
            (null, ModelType.Gpt2 or ModelType.MinGpt) => Activation.GeluTanh,
            (null, ModelType.NanoGpt) => Activation.GeluErf,
            (null, _) => throw new ModelException(
                $"{config.Path}: '{Key}' is missing, and there is no model_type to tell it; expected gelu_new (tanh) or gelu (erf)"),
            _ => throw config.Invalid(Key, "gelu_new, gelu_tanh, gelu_pytorch_tanh (tanh), gelu or gelu_erf (erf)"),
        };
    }

    private static WeightOrder FindOrder(TensorCatalog tensors, string fused, int dim) =>
        tensors.ShapeOf(fused) is [var rows, _] && rows == dim ? WeightOrder.InputsFirst : WeightOrder.OutputsFirst;

    private static StoredAttention TakeAttention(TensorCatalog tensors, string block, WeightOrder order, int dim)
    {
        // Causal masks that older versions stored.
        tensors.Ignore($"{block}attn.bias");
        tensors.Ignore($"{block}attn.masked_bias");
        return StoredAttention.Fused(
            StoredLinear.Take(tensors, $"{block}attn.c_attn", order, dim, 3 * dim),
            StoredLinear.Take(tensors, $"{block}attn.c_proj", order, dim, dim));
    }

    private static StoredBlock TakeBlock(TensorCatalog tensors, string block, WeightOrder order, int dim, int feedForwardDim) => new(
        StoredNorm.Take(tensors, $"{block}ln_1", dim),
        StoredNorm.Take(tensors, $"{block}ln_2", dim),
        StoredLinear.Take(tensors, $"{block}mlp.c_fc", order, dim, feedForwardDim),
        StoredLinear.Take(tensors, $"{block}mlp.c_proj", order, feedForwardDim, dim));

    private static StoredLinear TakeLogits(ConfigFile config, TensorCatalog tensors, StoredTensor embedding, ModelConfiguration model)
    {
        var vocabulary = model.Transformer!.VocabularySize;
        return tensors.Has("lm_head.weight") || !config.Flag("tie_word_embeddings", otherwise: true)
            ? StoredLinear.Take(tensors, "lm_head", WeightOrder.OutputsFirst, model.ModelDim, vocabulary)
            : new(embedding, Bias: null, WeightOrder.OutputsFirst, model.ModelDim, FirstOutput: 0, vocabulary);
    }
}
