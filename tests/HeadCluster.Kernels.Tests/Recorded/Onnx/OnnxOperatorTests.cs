using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Recorded.Onnx;

public sealed class OnnxOperatorTests
{
    public static TheoryData<string> LayerNormCases => OnnxCase.Named("LayerNormalization");

    public static TheoryData<string> RmsNormCases => OnnxCase.Named("RMSNormalization");

    public static TheoryData<string> GeluCases => OnnxCase.Named("Gelu");

    public static TheoryData<string> SoftmaxCases => OnnxCase.Named("Softmax");

    [Fact]
    public void Every_recorded_operator_is_tested_or_has_no_kernel()
    {
        string[] tested = ["Attention", "LayerNormalization", "RMSNormalization", "Gelu", "Softmax"];
        string[] withoutKernel = ["RotaryEmbedding", "Swish"];
        var recorded = OnnxCase.AllNames(Cases.Find("onnx")).Select(name => OnnxCase.Load(name).Operator).Distinct();
        Assert.Equal(tested.Concat(withoutKernel).Order(), recorded.Order());
    }

    [Theory]
    [MemberData(nameof(LayerNormCases))]
    public void LayerNorm_equals_the_recorded_output(string name)
    {
        var node = OnnxCase.Load(name);
        node.CheckAttributes("axis", "epsilon");
        var (x, scale, bias) = (node.Input(0)!, node.Input(1)!.Values, node.Input(2)?.Values ?? []);
        var axis = node.Integer("axis", -1);
        var y = new float[x.Values.Length];
        LayerNormKernel.Apply(x.Values, x.Count(..(axis < 0 ? axis + x.Shape.Length : axis)), scale, bias, node.Float("epsilon", 1e-5f), y);
        Tolerance.Recorded.Check(node.Output(0)!.Values, y);
    }

    [Theory]
    [MemberData(nameof(RmsNormCases))]
    public void RmsNorm_equals_the_recorded_output(string name)
    {
        var node = OnnxCase.Load(name);
        node.CheckAttributes("axis", "epsilon");
        var (x, scale) = (node.Input(0)!, node.Input(1)!.Values);
        var axis = node.Integer("axis", -1);
        var y = new float[x.Values.Length];
        RmsNormKernel.Apply(x.Values, x.Count(..(axis < 0 ? axis + x.Shape.Length : axis)), scale, node.Float("epsilon", 1e-5f), y);
        Tolerance.Recorded.Check(node.Output(0)!.Values, y);
    }

    [Theory]
    [MemberData(nameof(GeluCases))]
    public void Gelu_equals_the_recorded_output(string name)
    {
        var node = OnnxCase.Load(name);
        node.CheckAttributes("approximate");
        var x = node.Input(0)!.Values;
        var y = new float[x.Length];
        if (node.Text("approximate", "none") == "tanh")
        {
            GeluKernel.ApplyTanh(x, y);
        }
        else
        {
            GeluKernel.ApplyErf(x, y);
        }

        Tolerance.Recorded.Check(node.Output(0)!.Values, y);
    }

    [Theory]
    [MemberData(nameof(SoftmaxCases))]
    public void Softmax_equals_the_recorded_output(string name)
    {
        var node = OnnxCase.Load(name);
        node.CheckAttributes("axis");
        var x = node.Input(0)!;
        var axis = node.Integer("axis", -1);
        axis = axis < 0 ? axis + x.Shape.Length : axis;
        var (length, inner) = (x.Shape[axis], x.Count((axis + 1)..));

        // The axis goes last for the kernel, and back.
        var y = new float[x.Values.Length];
        for (var outer = 0; outer < x.Count(..axis); outer++)
        {
            var rows = Data.Transpose(x.Values.AsSpan(outer * length * inner, length * inner), inner);
            for (var row = 0; row < inner; row++)
            {
                SoftmaxKernel.Apply(rows.AsSpan(row * length, length), rows.AsSpan(row * length, length));
            }

            Data.Transpose(rows, length).CopyTo(y, outer * length * inner);
        }

        Tolerance.Recorded.Check(node.Output(0)!.Values, y);
    }
}
