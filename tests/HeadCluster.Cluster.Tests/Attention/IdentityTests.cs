using HeadCluster.Models;
using HeadCluster.Reference;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Attention;

/// <summary>What must hold of multi-head attention whatever the weights are.</summary>
public sealed class IdentityTests
{
    private const int Width = 12;

    [Fact]
    public async Task Grouped_heads_equal_repeated_heads()
    {
        using var grouped = Layer(heads: 4, kvHeads: 2, causal: true);
        using var repeated = Layer(heads: 4, kvHeads: 4, causal: true, repeatKv: 2);
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, ("grouped", grouped.Path), ("repeated", repeated.Path));
        var x = Matrices.Random(9, Width);

        var expected = await cluster.Client.AttendAsync("repeated", 0, x, TestContext.Current.CancellationToken);
        var actual = await cluster.Client.AttendAsync("grouped", 0, x, TestContext.Current.CancellationToken);

        Assert.Equal(4, expected.Heads.Length);
        Assert.Equal(2, actual.Heads.Length);
        Assert.Equal(expected.Output.Span, actual.Output.Span);
    }

    [Fact]
    public async Task The_heads_of_a_layer_equal_as_many_layers_of_one_head()
    {
        const int Heads = 3;
        using var together = Layer(Heads, Heads, causal: true);
        using var apart = new TemporaryDirectory();
        WriteSeparateHeads(apart, Heads);
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, ("together", together.Path), ("apart", apart.Path));
        var x = Matrices.Random(7, Width);

        // W_O of each one-head layer is its rows of the whole W_O, so the outputs add up.
        var sum = new double[7 * Width];
        for (var layer = 0; layer < Heads; layer++)
        {
            var part = await cluster.Client.AttendAsync("apart", layer, x, TestContext.Current.CancellationToken);
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += part.Output.Span[i];
            }
        }

        var whole = await cluster.Client.AttendAsync("together", 0, x, TestContext.Current.CancellationToken);
        Near.All(sum, whole.Output.Span, "sum of one-head layers");
    }

    [Fact]
    public async Task Permuting_the_tokens_without_a_mask_permutes_the_rows()
    {
        using var layer = Layer(heads: 3, kvHeads: 3, causal: false);
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, ("layer", layer.Path));
        var x = Matrices.Random(6, Width);
        int[] order = [4, 0, 5, 2, 1, 3];

        var straight = await cluster.Client.AttendAsync("layer", 0, x, TestContext.Current.CancellationToken);
        var permuted = await cluster.Client.AttendAsync("layer", 0, Matrices.Rows(x, order), TestContext.Current.CancellationToken);

        Near.All(Matrices.Rows(straight.Output, order).Span, permuted.Output.Span, "permuted rows");
    }

    [Fact]
    public async Task A_sequence_has_the_same_bits_alone_and_beside_others()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        var x = Matrices.Random(20, 48);

        var together = await cluster.Client.AttendAsync(
            "random:nano?seed=3", 1, new AttentionRequest(x, [3, 11, 6]), TestContext.Current.CancellationToken);
        var alone = await cluster.Client.AttendAsync(
            "random:nano?seed=3", 1, Matrices.Rows(x, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), TestContext.Current.CancellationToken);

        Assert.Equal(alone.Output.Span, together.Output.Span.Slice(3 * 48, 11 * 48));
    }

    [Theory]
    [InlineData("random:nano?seed=1")]
    [InlineData("random:gpt2-small?seed=2&layers=1")]
    public async Task A_layer_of_random_weights_is_within_1e_5_of_plain_loops_in_double(string name)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        using var model = ModelLocation.Open(name);
        var x = Matrices.Random(11, model.Configuration.ModelDim);

        var result = await cluster.Client.AttendAsync(name, 0, x, TestContext.Current.CancellationToken);

        double[] exact = Array.ConvertAll(x.Memory.ToArray(), value => (double)value);
        Near.All(new ReferenceTransformer(model).Attention<double>(0, exact, [11]), result.Output.Span, name);
    }

    // One layer of 4 elements a head in separate projections. With repeatKv each key/value head is written that many times.
    private static TemporaryDirectory Layer(int heads, int kvHeads, bool causal, int repeatKv = 1)
    {
        var kv = kvHeads / repeatKv * 4;
        return Write(heads, kvHeads, causal, [
            ("q_proj", heads * 4, Width, Matrices.Random(heads * 4, Width, seed: 2).Memory.ToArray()),
            ("k_proj", kvHeads * 4, Width, Repeat(Matrices.Random(kv, Width, seed: 3), repeatKv)),
            ("v_proj", kvHeads * 4, Width, Repeat(Matrices.Random(kv, Width, seed: 4), repeatKv)),
            ("o_proj", Width, heads * 4, Matrices.Random(Width, heads * 4, seed: 5).Memory.ToArray()),
        ]);
    }

    // The same weights as Layer(heads, heads), each head as a layer of its own: o_proj is [out, in], so a head has its columns.
    private static void WriteSeparateHeads(TemporaryDirectory directory, int heads)
    {
        var output = Matrices.Random(Width, heads * 4, seed: 5);
        var tensors = new List<NamedTensor>();
        for (var head = 0; head < heads; head++)
        {
            foreach (var (name, seed) in new[] { ("q_proj", 2), ("k_proj", 3), ("v_proj", 4) })
            {
                var rows = Matrices.Random(heads * 4, Width, seed).Memory.Slice(head * 4 * Width, 4 * Width);
                tensors.Add(new NamedTensor($"layers.{head}.self_attn.{name}.weight", [4, Width], rows));
            }

            var columns = Enumerable.Range(0, Width).SelectMany(row => output.Row(row).Slice(head * 4, 4).ToArray()).ToArray();
            tensors.Add(new NamedTensor($"layers.{head}.self_attn.o_proj.weight", [Width, 4], columns));
        }

        File.WriteAllText(directory.File("config.json"), Config(layers: heads, heads: 1, kvHeads: 1, causal: true));
        SafetensorsWriter.Write(directory.File("model.safetensors"), tensors);
    }

    private static TemporaryDirectory Write(int heads, int kvHeads, bool causal, (string Name, int Out, int In, float[] Values)[] projections)
    {
        var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("config.json"), Config(layers: 1, heads, kvHeads, causal));
        SafetensorsWriter.Write(
            directory.File("model.safetensors"),
            [.. projections.Select(p => new NamedTensor($"layers.0.self_attn.{p.Name}.weight", [p.Out, p.In], p.Values))]);
        return directory;
    }

    private static string Config(int layers, int heads, int kvHeads, bool causal) => $$"""
        {
          "hidden_size": {{Width}}, "num_hidden_layers": {{layers}}, "num_attention_heads": {{heads}}, "num_key_value_heads": {{kvHeads}},
          "head_dim": 4, "max_position_embeddings": 64, "causal": {{(causal ? "true" : "false")}}
        }
        """;

    private static float[] Repeat(FloatTensor heads, int times) =>
        [.. heads.Memory.ToArray().Chunk(4 * Width).SelectMany(head => Enumerable.Repeat(head, times).SelectMany(values => values))];
}
