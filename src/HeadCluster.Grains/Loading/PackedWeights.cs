using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>From a model's weights to what the kernels take.</summary>
internal static class PackedWeights
{
    public static LinearPart ToPart(this LinearWeights linear) => new(linear.Outputs, linear.Weights, linear.Bias);

    public static PackedMatrix Pack(this LinearWeights linear) => PackedMatrix.Pack(linear.Inputs, linear.ToPart());

    /// <summary>The sizes of each head of a model.</summary>
    public static HeadShape HeadShape(this ModelConfiguration model) =>
        new(model.ModelDim, model.QueryHeadsPerKvHead, model.HeadDim, model.ValueDim);

    /// <summary>How the scores of a model's heads are made.</summary>
    public static AttentionOptions AttentionOptions(this ModelConfiguration model) => new(model.Scale, model.Causal, model.Softcap);
}
