namespace HeadCluster.Models;

/// <summary>What a layout found in a model's files.</summary>
internal sealed record Checkpoint(
    ModelConfiguration Configuration, IReadOnlyList<StoredAttention> Attention, StoredTransformer? Transformer = null)
{
    /// <summary>The type that all weight matrices share, or else F32, which holds those of every type.</summary>
    public TensorType WeightType
    {
        get
        {
            var matrices = Attention.SelectMany(layer => layer.Matrices).Concat(Transformer?.Matrices ?? []);
            var types = matrices.Select(matrix => matrix.Info.Type).Distinct().Take(2).ToArray();
            return types.Length == 1 ? types[0] : TensorType.F32;
        }
    }
}
