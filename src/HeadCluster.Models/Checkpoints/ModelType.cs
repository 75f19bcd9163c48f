namespace HeadCluster.Models;

/// <summary>What <c>config.json</c> may say a model is, so that none is computed as what it is not.</summary>
internal static class ModelType
{
    public const string Gpt2 = "gpt2";
    public const string MinGpt = "mingpt";
    public const string NanoGpt = "nanogpt";
    public const string Attention = "attention";

    // Keys that stand for something that changes the result and is not computed.
    private static readonly string[] RotaryKeys =
        ["rope_theta", "rope_scaling", "rope_parameters", "rotary_dim", "rotary_pct", "rotary_emb_base", "partial_rotary_factor"];

    private static readonly string[] UnknownKeys = ["sliding_window", "query_pre_attn_scalar", "add_zero_attn", "alibi"];

    /// <summary>Refuses models of other families.</summary>
    public static void Check(ConfigFile config)
    {
        var type = config.OptionalText("model_type");
        if (RotaryKeys.FirstOrDefault(config.Has) is { } rotary)
        {
            throw new ModelException(
                $"{config.Path}: '{rotary}'{(type is null ? "" : $" of model_type {Quote.Text(type)}")} means rotary positions, which are not supported");
        }

        if (type is not (null or Gpt2 or MinGpt or NanoGpt or Attention))
        {
            throw new ModelException(
                $"{config.Path}: model_type {Quote.Text(type)} is not supported (no rotary positions, no RMS norm); "
                + $"expected {Gpt2}, {MinGpt}, {NanoGpt}, {Attention} or none");
        }

        if (UnknownKeys.FirstOrDefault(config.Has) is { } unknown)
        {
            throw new ModelException($"{config.Path}: '{unknown}' is not supported; expected a model without it");
        }
    }
}
