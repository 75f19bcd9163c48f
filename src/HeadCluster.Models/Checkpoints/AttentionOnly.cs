namespace HeadCluster.Models;

/// <summary>What the layouts that are attention layers only have in common.</summary>
internal static class AttentionOnly
{
    /// <summary>The longest sequence of a model that states no limit.</summary>
    public const int DefaultMaxSequenceLength = 4096;

    private static readonly string[] LayerCountKeys = ["num_hidden_layers", "num_layers", "n_layer"];

    /// <summary>Refuses a model that states another number of layers than its tensors are for.</summary>
    public static void CheckLayerCount(ConfigFile config, int found)
    {
        if (config.OptionalSize(LayerCountKeys) is { } stated && stated != found)
        {
            throw new ModelException($"{config.Path}: states {stated} layers; there are tensors of {found}");
        }
    }
}
