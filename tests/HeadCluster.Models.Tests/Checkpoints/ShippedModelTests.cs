using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>The shipped nano-gpt, against the queries, keys and values that PyTorch computed with it.</summary>
public class ShippedModelTests
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void Heads_project_what_pytorch_projected()
    {
        using var model = ModelLocation.Open(Repository.Find("samples", "nano-gpt"));
        using var oracle = SafetensorsFile.Open(Repository.Find("samples", "nano-gpt", "oracle", "oracle.safetensors"));
        for (var layer = 0; layer < 3; layer++)
        {
            var x = oracle.ReadFloats($"layers.{layer}.ln_1");
            for (var head = 0; head < 3; head++)
            {
                var weights = model.ReadHead(layer, head);
                AssertProjects(x, weights.Query, oracle.ReadFloats($"layers.{layer}.query"), head);
                AssertProjects(x, weights.Key, oracle.ReadFloats($"layers.{layer}.key"), head);
                AssertProjects(x, weights.Value, oracle.ReadFloats($"layers.{layer}.value"), head);
            }
        }
    }

    /// <summary>x is <c>[4, 11, 48]</c>; what was projected is <c>[4, 3 heads, 11, 16]</c>.</summary>
    private static void AssertProjects(float[] x, LinearWeights linear, float[] projected, int head)
    {
        const int Positions = 11, Dim = 48, HeadDim = 16, Heads = 3;
        var weights = linear.Read();
        for (var row = 0; row < x.Length / Dim; row++)
        {
            var (sequence, position) = Math.DivRem(row, Positions);
            for (var output = 0; output < HeadDim; output++)
            {
                double sum = linear.Bias![output];
                for (var input = 0; input < Dim; input++)
                {
                    sum += (double)x[(row * Dim) + input] * weights[(input * HeadDim) + output];
                }

                var expected = projected[(((((sequence * Heads) + head) * Positions) + position) * HeadDim) + output];
                Assert.Equal(expected, sum, Tolerance);
            }
        }
    }
}
