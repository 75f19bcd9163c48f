using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>From a model's weights to what the kernels take.</summary>
internal static class PackedWeights
{
    /// <summary>Reads matrices with the same inputs and packs them side by side, a piece at a time.</summary>
    public static PackedMatrix Pack(WeightFormat format, params ReadOnlySpan<LinearWeights> matrices)
    {
        var outputs = 0;
        foreach (var matrix in matrices)
        {
            outputs += matrix.Outputs;
        }

        var builder = new PackedMatrixBuilder(matrices[0].Inputs, outputs, format);
        var first = 0;
        foreach (var matrix in matrices)
        {
            matrix.Read((piece, weights) => builder.Place((int)piece.FirstRow, first + (int)piece.FirstColumn, piece.Columns, weights));
            builder.PlaceBias(first, matrix.Bias);
            first += matrix.Outputs;
        }

        return builder.Build();
    }

    /// <summary>Reads a matrix and packs it, a piece at a time.</summary>
    public static PackedMatrix Pack(this LinearWeights matrix, WeightFormat format) => Pack(format, matrix);

    /// <summary>Reads one head's weights and packs them.</summary>
    public static AttentionHead PackHead(this Model model, int layer, int kvHead)
    {
        var format = model.Configuration.WeightFormat();
        var (query, key, value) = model.ReadHead(layer, kvHead);
        return new AttentionHead(model.Configuration.HeadShape(), model.Configuration.AttentionOptions(), Pack(format, query, key, value));
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
