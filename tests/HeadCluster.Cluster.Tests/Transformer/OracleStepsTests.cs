using HeadCluster.Kernels.Definition;
using HeadCluster.Models;

namespace HeadCluster.Tests.Transformer;

/// <summary>
/// What the grains answer follows from the step before it that PyTorch recorded: one step in double from a recorded tensor, so
/// that a mistake in a block is found in its own step and layer.
/// </summary>
[Collection(NanoGptCollection.Name)]
public sealed class OracleStepsTests(NanoGptCluster cluster)
{
    private const int Width = 48;

    private const float Epsilon = 1e-5f;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Attention_of_a_layer_is_its_residual_less_its_input(int layer)
    {
        using var oracle = Oracle();
        var input = oracle.ReadFloats(layer == 0 ? "embedded" : $"layers.{layer - 1}.output");
        var rows = input.Length / Width;
        var x = new FloatTensor(oracle.ReadFloats($"layers.{layer}.ln_1"), rows, Width);

        var result = await cluster.Client.AttendAsync(
            NanoGpt.Name, layer, new AttentionRequest(x, Lengths(rows)), TestContext.Current.CancellationToken);

        float[] sum = [.. input.Zip(result.Output.Memory.ToArray(), (before, attention) => before + attention)];
        Near.All(oracle.ReadFloats($"layers.{layer}.residual"), sum, $"residual of layer {layer}");
    }

    [Fact]
    public async Task The_first_layer_attends_to_the_normalised_embedding()
    {
        using var oracle = Oracle();
        using var model = NanoGpt.Open();
        var x = Array.ConvertAll(Normalize(oracle.ReadFloats("embedded"), model.ReadBlock(0).AttentionNorm), value => (float)value);

        var result = await cluster.Client.AttendAsync(
            NanoGpt.Name,
            0,
            new AttentionRequest(new FloatTensor(x, x.Length / Width, Width), Lengths(x.Length / Width)),
            TestContext.Current.CancellationToken);

        Near.All(oracle.ReadFloats("layers.0.attention_output"), result.Output.Span, "attention output");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Patterns_are_the_softmax_of_the_recorded_scores_up_to_the_diagonal(int layer)
    {
        using var oracle = Oracle();
        var result = await ForwardAsync(oracle);

        // [sequences, heads, queries, keys]
        var scores = Array.ConvertAll(oracle.ReadFloats($"layers.{layer}.scores"), value => (double)value);
        for (var i = 0; i < scores.Length; i++)
        {
            var (query, key) = (i / NanoGpt.FullLength % NanoGpt.FullLength, i % NanoGpt.FullLength);
            scores[i] = key > query ? double.NegativeInfinity : scores[i];
        }

        var patterns =
            from sequence in Enumerable.Range(0, scores.Length / (3 * NanoGpt.FullLength * NanoGpt.FullLength))
            from head in result.Layers[layer]
            from value in head.Patterns![sequence].Shares.Memory.ToArray()
            select value;
        var expected = AttentionDefinition.Pattern<double>(scores, scores.Length / NanoGpt.FullLength, NanoGpt.FullLength);
        Near.All(expected, [.. patterns], $"patterns of layer {layer}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_block_is_its_residual_and_the_feed_forward_layer_of_each_recorded_step(int layer)
    {
        using var oracle = Oracle();
        using var model = NanoGpt.Open();
        var block = model.ReadBlock(layer);
        var residual = oracle.ReadFloats($"layers.{layer}.residual");
        var actual = (await ForwardAsync(oracle)).Blocks![layer];

        Near.All(Add(residual, Linear(Widen(oracle.ReadFloats($"layers.{layer}.hidden")), block.Down)), actual.Span, $"block {layer} from hidden");
        Near.All(Add(residual, FeedForward(Widen(oracle.ReadFloats($"layers.{layer}.ln_2")), block)), actual.Span, $"block {layer} from ln_2");
        Near.All(Add(residual, FeedForward(Normalize(residual, block.FeedForwardNorm), block)), actual.Span, $"block {layer} from residual");
    }

    [Fact]
    public async Task Logits_are_the_recorded_last_norm_times_the_matrix_of_the_logits()
    {
        using var oracle = Oracle();
        using var model = NanoGpt.Open();

        var logits = (await ForwardAsync(oracle)).Logits;

        Near.All(Linear(Widen(oracle.ReadFloats("ln_f")), model.ReadTransformer().Logits), logits.Span, "logits");
    }

    private static SafetensorsFile Oracle() => SafetensorsFile.Open(Path.Combine(NanoGpt.Directory, "oracle", "oracle.safetensors"));

    private static int[] Lengths(int rows) => [.. Enumerable.Repeat(NanoGpt.FullLength, rows / NanoGpt.FullLength)];

    private Task<ForwardResult> ForwardAsync(SafetensorsFile oracle)
    {
        var tokens = Array.ConvertAll(oracle.ReadFloats("tokens"), value => (int)value);
        var request = new ForwardRequest(tokens, Lengths(tokens.Length), ForwardCapture.Blocks, PatternSelection.All);
        return cluster.Client.ForwardAsync(NanoGpt.Name, request, TestContext.Current.CancellationToken);
    }

    private static double[] FeedForward(double[] x, BlockWeights block) =>
        Linear(Array.ConvertAll(Linear(x, block.Up), TransformerDefinition.GeluTanh), block.Down);

    private static double[] Linear(double[] x, LinearWeights linear) => AttentionDefinition.Linear<double>(
        x, Widen(linear.Read()), Widen(linear.Bias ?? []), x.Length / linear.Inputs, linear.Inputs, linear.Outputs);

    private static double[] Normalize(float[] x, NormWeights norm) =>
        TransformerDefinition.LayerNorm<double>(Widen(x), Widen(norm.Scale), Widen(norm.Bias ?? []), Epsilon);

    private static double[] Add(float[] x, double[] y) => [.. x.Zip(y, (left, right) => left + right)];

    private static double[] Widen(float[] values) => Array.ConvertAll(values, value => (double)value);
}
