using HeadCluster.Models;
using HeadCluster.Reference;

namespace HeadCluster.Tests.Transformer;

/// <summary>The shipped model through the grains, against what PyTorch computed and against plain loops in double.</summary>
[Collection(NanoGptCollection.Name)]
public sealed class NanoGptTests(NanoGptCluster cluster)
{
    [Fact]
    public async Task All_729_inputs_come_out_sorted()
    {
        var inputs = NanoGpt.AllInputs().ToArray();
        var sequences = inputs;
        for (var step = 0; step < NanoGpt.InputLength; step++)
        {
            var request = new ForwardRequest([.. sequences.SelectMany(s => s)], [.. sequences.Select(s => s.Length)]);
            var result = await cluster.Client.ForwardAsync(NanoGpt.Name, request, TestContext.Current.CancellationToken);
            var length = sequences[0].Length;
            sequences = [.. sequences.Select((sequence, i) => (int[])[.. sequence, ArgMax(result.Logits.Row((i * length) + length - 1))])];
        }

        Assert.All(inputs.Zip(sequences), pair => Assert.Equal([.. pair.First, .. pair.First.Order()], pair.Second));
    }

    [Fact]
    public async Task Generation_gives_the_letters_sorted_one_by_one()
    {
        var letters = new List<GeneratedToken>();
        await foreach (var letter in cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 1, 2, 0, 1, 2, 0 }, 6, TestContext.Current.CancellationToken))
        {
            letters.Add(letter);
        }

        Assert.Equal([0, 0, 1, 1, 2, 2], letters.Select(letter => letter.Token));
        Assert.Equal([6, 7, 8, 9, 10, 11], letters.Select(letter => letter.Position));
        Assert.All(letters, letter => Assert.InRange(letter.Probability, 0.9f, 1f));
    }

    [Fact]
    public async Task Every_intermediate_is_within_1e_5_of_what_PyTorch_computed()
    {
        using var oracle = SafetensorsFile.Open(Path.Combine(NanoGpt.Directory, "oracle", "oracle.safetensors"));
        var tokens = Array.ConvertAll(oracle.ReadFloats("tokens"), value => (int)value);
        int[] lengths = [.. Enumerable.Repeat(NanoGpt.FullLength, tokens.Length / NanoGpt.FullLength)];

        var request = new ForwardRequest(tokens, lengths, ForwardCapture.Blocks, PatternSelection.All);
        var result = await cluster.Client.ForwardAsync(NanoGpt.Name, request, TestContext.Current.CancellationToken);

        Near.All(oracle.ReadFloats("logits"), result.Logits.Span, "logits");
        for (var layer = 0; layer < 3; layer++)
        {
            Near.All(oracle.ReadFloats($"layers.{layer}.output"), result.Blocks![layer].Span, $"block {layer}");
            var patterns =
                from sequence in Enumerable.Range(0, lengths.Length)
                from head in result.Layers[layer]
                from value in head.Patterns![sequence].Shares.Memory.ToArray()
                select value;
            Near.All(oracle.ReadFloats($"layers.{layer}.pattern"), [.. patterns], $"patterns of layer {layer}");
            await CheckLayerAsync(oracle, layer, lengths);
        }
    }

    [Fact]
    public async Task Logits_are_within_1e_5_of_plain_loops_in_double()
    {
        using var model = NanoGpt.Open();
        var reference = new ReferenceTransformer(model);
        foreach (var input in NanoGpt.AllInputs().Where((_, index) => index % 100 == 0).Select(NanoGpt.WithAnswer))
        {
            var logits = await cluster.Client.LogitsAsync(NanoGpt.Name, input, TestContext.Current.CancellationToken);
            Near.All(reference.Logits<double>(input), logits.Span, string.Join(',', input));
        }
    }

    [Fact]
    public async Task Captures_change_no_bit_of_the_logits()
    {
        var plain = await cluster.Client.ForwardAsync(NanoGpt.Name, NanoGpt.AllAtOnce(), TestContext.Current.CancellationToken);
        var captured = await cluster.Client.ForwardAsync(
            NanoGpt.Name,
            NanoGpt.AllAtOnce() with { Capture = ForwardCapture.Blocks, Patterns = PatternSelection.All },
            TestContext.Current.CancellationToken);

        Assert.Equal(NanoGpt.Hash(plain.Logits.Span), NanoGpt.Hash(captured.Logits.Span));
        Assert.Null(plain.Blocks);
        Assert.All(plain.Layers.SelectMany(layer => layer), head => Assert.Null(head.Patterns));
    }

    private async Task CheckLayerAsync(SafetensorsFile oracle, int layer, int[] lengths)
    {
        var x = new FloatTensor(oracle.ReadFloats($"layers.{layer}.ln_1"), lengths.Sum(), 48);
        var expected = new FloatTensor(oracle.ReadFloats($"layers.{layer}.head_output"), lengths.Sum(), 48);
        for (var head = 0; head < 3; head++)
        {
            var grain = cluster.Cluster.Grains.GetGrain<IAttentionHeadGrain>(new HeadId(NanoGpt.Name, layer, head).ToString());
            var z = (await grain.AttendAsync(new HeadRequest(x, lengths), TestContext.Current.CancellationToken)).Output;
            for (var row = 0; row < z.Rows; row++)
            {
                Near.All(expected.Row(row).Slice(head * 16, 16), z.Row(row), $"head {layer}.{head}, row {row}");
            }
        }

        var y = await cluster.Client.AttendAsync(NanoGpt.Name, layer, new AttentionRequest(x, lengths), TestContext.Current.CancellationToken);
        Near.All(oracle.ReadFloats($"layers.{layer}.attention_output"), y.Output.Span, $"attention output of layer {layer}");
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }
}
