namespace HeadCluster.Models;

/// <summary>Tells by the names of its tensors how a model is laid out.</summary>
internal static class Layout
{
    public static Checkpoint Read(string directory, ConfigFile config, TensorCatalog tensors)
    {
        if (tensors.Names.Any(name => name.EndsWith(GptLayout.FusedWeights, StringComparison.Ordinal)))
        {
            return GptLayout.Read(config, tensors);
        }

        if (LayerPrefixes.Find(directory, tensors, MultiheadAttentionLayout.FusedWeights) is { Count: > 0 } fused)
        {
            return MultiheadAttentionLayout.Read(config, tensors, fused);
        }

        if (LayerPrefixes.Find(directory, tensors, SeparateProjectionsLayout.QueryWeights) is { Count: > 0 } separate)
        {
            return SeparateProjectionsLayout.Read(config, tensors, separate);
        }

        throw new ModelException(
            $"{directory}: holds no attention layer that is known by its tensors' names; expected "
            + $"*{GptLayout.FusedWeights}, *{MultiheadAttentionLayout.FusedWeights} or *{SeparateProjectionsLayout.QueryWeights}");
    }
}
