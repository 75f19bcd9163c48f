using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>A layer's heads and W_O, and the sizes of its model.</summary>
/// <param name="Heads">The heads.</param>
/// <param name="OutputWeights">W_O and b_O, from HeadCount · ValueDim to ModelDim.</param>
/// <param name="Model">The sizes.</param>
internal sealed record LoadedLayer(LayerHeads Heads, PackedMatrix OutputWeights, ModelConfiguration Model)
{
    /// <summary>How W_O of a layer is loaded.</summary>
    /// <exception cref="HeadClusterException">There is no such layer, or its model's files cannot be read.</exception>
    public static WeightLoad<LoadedLayer> Plan(ModelCatalog models, IGrainFactory grains, LayerId id)
    {
        var model = models.Open(id);
        var configuration = model.Configuration;
        var heads = new IAttentionHeadGrain[configuration.KvHeadCount];
        for (var head = 0; head < heads.Length; head++)
        {
            heads[head] = grains.GetGrain<IAttentionHeadGrain>(id.Head(head).ToString());
        }

        return new(
            id.Model,
            $"layer {id}",
            PackedMatrix.SizeOf(configuration.HeadCount * configuration.ValueDim, configuration.ModelDim, configuration.WeightFormat()),
            () => new LoadedLayer(
                new LayerHeads(id, heads, new HeadRoutes(heads.Length)),
                model.ReadOutputProjection(id.Layer).Pack(configuration.WeightFormat()),
                configuration));
    }
}
