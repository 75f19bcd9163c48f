using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>A head's weights, and the sizes of its model.</summary>
internal sealed record LoadedHead(AttentionHead Head, ModelConfiguration Model)
{
    /// <summary>How a head's weights are loaded.</summary>
    /// <exception cref="HeadClusterException">There is no such head, or its model's files cannot be read.</exception>
    public static WeightLoad<LoadedHead> Plan(ModelCatalog models, HeadId id)
    {
        var model = models.Open(id);
        var shape = model.Configuration.HeadShape();
        return new(
            id.Model,
            $"head {id}",
            PackedMatrix.SizeOf(shape.ModelDim, shape.ProjectionDim, model.Configuration.WeightFormat()),
            () => new LoadedHead(model.PackHead(id.Layer, id.KvHead), model.Configuration));
    }
}
