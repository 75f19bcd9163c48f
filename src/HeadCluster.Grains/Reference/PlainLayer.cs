using HeadCluster.Grains;
using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Reference;

/// <summary>
/// A layer's heads and W_O in one place, with the kernels and weights that its grains have: what the cost of the grains is
/// measured against.
/// </summary>
public static class PlainLayer
{
    /// <summary>Reads and packs the weights of one layer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The layer is not in the model.</exception>
    public static AttentionLayer Load(Model model, int layer)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new AttentionLayer(
            Enumerable.Range(0, model.Configuration.KvHeadCount).Select(head => model.PackHead(layer, head)),
            model.ReadOutputProjection(layer).Pack(model.Configuration.WeightFormat()));
    }
}
