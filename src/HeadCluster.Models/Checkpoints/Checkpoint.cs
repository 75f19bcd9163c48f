namespace HeadCluster.Models;

/// <summary>What a layout found in a model's files.</summary>
internal sealed record Checkpoint(
    ModelConfiguration Configuration, IReadOnlyList<StoredAttention> Attention, StoredTransformer? Transformer = null);
