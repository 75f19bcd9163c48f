using HeadCluster.Kernels.Tests.Attention;
using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Recorded;

/// <summary>Layer 0 of the trained sorting model, each step from the recorded values before it.</summary>
public sealed class NanoSortTests
{
    private const int Batch = 3, Length = 11, Rows = Batch * Length, ModelDim = 48, Heads = 3, HeadDim = 16, HiddenDim = 192;
    private const float Epsilon = 1e-5f;
    private const string Layer = "transformer.h.0.";
    private static readonly AttentionOptions Options = new(AttentionOptions.DefaultScale(HeadDim), Causal: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Head_projects_and_attends_as_recorded(int h)
    {
        var (model, partials) = (RecordedTensors.Model, RecordedTensors.Partials);
        LinearPart Projection(int first) => Part(model, Layer + "attn.c_attn", first + (HeadDim * h), HeadDim);
        var head = new AttentionHead(new HeadShape(ModelDim, 1, HeadDim, HeadDim), Options, Projection(0), Projection(ModelDim), Projection(2 * ModelDim));
        using var projected = head.Project(partials["ln1"], Rows);
        var output = new float[Rows * HeadDim];
        head.Attend(projected, [Length, Length, Length], output, HeadDim);
        Tolerance.Recorded.Check(Data.Columns(partials["y"], ModelDim, h * HeadDim, HeadDim), output);

        for (var b = 0; b < Batch; b++)
        {
            float[] Recorded(string name, int columns) => partials[name].AsSpan(((b * Heads) + h) * Length * columns, Length * columns).ToArray();
            Tolerance.Recorded.Check(Recorded("q", HeadDim), Dense(projected.Queries(0, b * Length), projected.Stride));
            Tolerance.Recorded.Check(Recorded("k", HeadDim), Dense(projected.Keys(b * Length), projected.Stride));
            Tolerance.Recorded.Check(Recorded("v", HeadDim), Dense(projected.Values(b * Length), projected.Stride));

            var pattern = new float[Length * Length];
            head.Pattern(projected, b * Length, Length, pattern);
            Tolerance.Recorded.Check(Recorded("attSm", Length), pattern);

            var scores = KernelScores.Compute(Recorded("q", HeadDim), Recorded("k", HeadDim), HeadDim, Options);
            Tolerance.Recorded.Check(Recorded("att", Length), scores);
        }
    }

    [Theory]
    [InlineData("x", "ln1")]
    [InlineData("ln1", "qkv")]
    [InlineData("y", "yProj")]
    [InlineData("yProj", "attnResid")]
    [InlineData("attnResid", "ln2")]
    [InlineData("ln2", "fc")]
    [InlineData("fc", "gelu")]
    [InlineData("gelu", "mlp")]
    [InlineData("mlp", "mlpResid")]
    [InlineData("block2", "ln_f")]
    public void Step_from_recorded_values_gives_the_recorded_ones(string from, string to)
    {
        var (model, partials) = (RecordedTensors.Model, RecordedTensors.Partials);
        var x = partials[from];
        var result = to switch
        {
            "ln1" => LayerNorm(x, model, Layer + "ln_1"),
            "ln2" => LayerNorm(x, model, Layer + "ln_2"),
            "ln_f" => LayerNorm(x, model, "transformer.ln_f"),
            "qkv" => Linear(x, ModelDim, Part(model, Layer + "attn.c_attn", 0, 3 * ModelDim)),
            "yProj" => Linear(x, ModelDim, Part(model, Layer + "attn.c_proj", 0, ModelDim)),
            "fc" => Linear(x, ModelDim, Part(model, Layer + "mlp.c_fc", 0, HiddenDim)),
            "mlp" => Linear(x, HiddenDim, Part(model, Layer + "mlp.c_proj", 0, ModelDim)),
            "attnResid" => Residual(x, partials["x"]),
            "mlpResid" => Residual(x, partials["attnResid"]),
            _ => Gelu(x),
        };
        Tolerance.Recorded.Check(partials[to], result);
    }

    private static float[] LayerNorm(float[] x, RecordedTensors model, string name)
    {
        var y = new float[x.Length];
        LayerNormKernel.Apply(x, Rows, model[name + ".weight"], model[name + ".bias"], Epsilon, y);
        return y;
    }

    private static float[] Linear(float[] x, int inputs, LinearPart part)
    {
        var y = new float[Rows * part.Outputs];
        LinearKernel.Apply(x, Rows, PackedMatrix.Pack(inputs, part), y);
        return y;
    }

    private static float[] Residual(float[] x, float[] stream)
    {
        float[] sum = [.. stream];
        ResidualKernel.Add(x, sum);
        return sum;
    }

    private static float[] Gelu(float[] x)
    {
        var y = new float[x.Length];
        GeluKernel.ApplyTanh(x, y);
        return y;
    }

    private static float[] Dense(ReadOnlySpan<float> rows, int stride)
    {
        var dense = new float[Length * HeadDim];
        for (var row = 0; row < Length; row++)
        {
            rows.Slice(row * stride, HeadDim).CopyTo(dense.AsSpan(row * HeadDim));
        }

        return dense;
    }

    // Some outputs of a linear map, which is recorded as [out, in].
    private static LinearPart Part(RecordedTensors model, string name, int firstOutput, int outputs)
    {
        var (weights, bias) = (model[name + ".weight"], model[name + ".bias"]);
        var inputs = weights.Length / bias.Length;
        var rows = weights.AsSpan(firstOutput * inputs, outputs * inputs);
        return new LinearPart(outputs, Data.Transpose(rows, inputs), bias.AsMemory(firstOutput, outputs));
    }
}
