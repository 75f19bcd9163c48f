using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>From a model's weights to what the kernels take.</summary>
internal static class PackedWeights
{
    public static LinearPart ToPart(this LinearWeights linear, WeightFormat format) => new(linear.Outputs, linear.Weights, linear.Bias, format);

    public static PackedMatrix Pack(this LinearWeights linear, WeightFormat format) => PackedMatrix.Pack(linear.Inputs, linear.ToPart(format));

    /// <summary>Reads one head's weights and packs them.</summary>
    public static AttentionHead PackHead(this Model model, int layer, int kvHead)
    {
        var format = model.Configuration.WeightFormat();
        var (query, key, value) = model.ReadHead(layer, kvHead);
        return new AttentionHead(
            model.Configuration.HeadShape(),
            model.Configuration.AttentionOptions(),
            query.ToPart(format),
            key.ToPart(format),
            value.ToPart(format));
    }

    /// <summary>How a model's weights stay in memory: as they are in its file.</summary>
    public static WeightFormat WeightFormat(this ModelConfiguration model) => model.WeightType switch
    {
        TensorType.BF16 => Kernels.WeightFormat.BFloat16,
        TensorType.F16 => Kernels.WeightFormat.Float16,
        _ => Kernels.WeightFormat.Float32,
    };

    /// <summary>The sizes of each head of a model.</summary>
    public static HeadShape HeadShape(this ModelConfiguration model) =>
        new(model.ModelDim, model.QueryHeadsPerKvHead, model.HeadDim, model.ValueDim);

    /// <summary>How the scores of a model's heads are made.</summary>
    public static AttentionOptions AttentionOptions(this ModelConfiguration model) => new(model.Scale, model.Causal, model.Softcap);
}
