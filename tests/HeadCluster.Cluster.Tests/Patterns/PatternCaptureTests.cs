using HeadCluster.Kernels.Definition;
using HeadCluster.Models;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Patterns;

/// <summary>Patterns are those of the definition, of the heads that were chosen, within the limits, and cost the output no bit.</summary>
[Collection(NanoGptCollection.Name)]
public sealed class PatternCaptureTests(NanoGptCluster cluster)
{
    private const double Exact = 1e-6;
    private const string Grouped = "random:llama-110m?layers=1&kv_heads=4&heads=8";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Patterns_are_within_1e_6_of_the_definition_and_their_rows_sum_to_1()
    {
        using var model = NanoGpt.Open();
        int[] lengths = [11, 1, 7];
        var x = Matrices.Random(lengths.Sum(), 48);

        var result = await cluster.Client.AttendAsync(NanoGpt.Name, 1, new AttentionRequest(x, lengths, PatternSelection.All), Stop);

        for (var head = 0; head < 3; head++)
        {
            var first = 0;
            foreach (var (length, pattern) in lengths.Zip(result.Heads[head].Patterns!))
            {
                Assert.True(pattern.IsWhole);
                Assert.Equal((1, length), (pattern.QueryHeads, pattern.Length));
                var expected = Definition(model, layer: 1, head, x.RowRange(first, length));
                for (var row = 0; row < length; row++)
                {
                    var sum = 0.0;
                    for (var key = 0; key < length; key++)
                    {
                        var share = pattern.Row(0, row)[key];
                        Assert.InRange(share, expected[(row * length) + key] - Exact, expected[(row * length) + key] + Exact);
                        sum += share;
                    }

                    Assert.InRange(sum, 1 - Exact, 1 + Exact);
                }

                first += length;
            }
        }
    }

    [Fact]
    public async Task Capturing_in_any_form_changes_no_bit_of_the_output()
    {
        var x = Matrices.Random(11, 48);
        var plain = await AttendAsync(patterns: null);

        foreach (var patterns in (PatternSelection[])[PatternSelection.All, PatternSelection.Top(2), new(Heads: [1])])
        {
            var captured = await AttendAsync(patterns);
            Assert.Equal(plain.Output.Span, captured.Output.Span);
        }

        Assert.All(plain.Heads, head => Assert.Null(head.Patterns));

        Task<AttentionResult> AttendAsync(PatternSelection? patterns) =>
            cluster.Client.AttendAsync(NanoGpt.Name, 0, new AttentionRequest(x, Patterns: patterns), Stop);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1000)]
    public async Task Of_a_pattern_in_part_each_row_has_the_largest_entries_of_the_whole(int count)
    {
        var request = new AttentionRequest(Matrices.Random(50, 768), [37, 13], PatternSelection.All);
        var whole = await cluster.Client.AttendAsync(Grouped, 0, request, Stop);
        var part = await cluster.Client.AttendAsync(Grouped, 0, request with { Patterns = PatternSelection.Top(count) }, Stop);

        foreach (var (all, largest) in whole.Heads.Zip(part.Heads).SelectMany(heads => heads.First.Patterns!.Zip(heads.Second.Patterns!)))
        {
            Assert.Equal((2, all.Length, Math.Min(count, all.Length)), (largest.QueryHeads, largest.Length, largest.Kept));
            for (var row = 0; row < 2 * all.Length; row++)
            {
                var (queryHead, position) = Math.DivRem(row, all.Length);
                var shares = all.Row(queryHead, position).ToArray();
                int[] keys = [.. Enumerable.Range(0, all.Length).OrderByDescending(key => shares[key]).ThenBy(key => key).Take(count)];
                Assert.Equal(keys, largest.RowKeys(queryHead, position));
                Assert.Equal(keys.Select(key => shares[key]), largest.Row(queryHead, position).ToArray());
            }
        }
    }

    [Fact]
    public async Task Only_the_chosen_heads_of_the_chosen_layers_are_captured()
    {
        var request = new ForwardRequest([0, 1, 2, 0], Patterns: new PatternSelection(Layers: [0, 2], Heads: [1]));

        var result = await cluster.Client.ForwardAsync(NanoGpt.Name, request, Stop);

        var captured = result.Layers.SelectMany(layer => layer).Where(head => head.Patterns is not null).Select(head => (head.Head.Layer, head.Head.KvHead));
        Assert.Equal([(0, 1), (2, 1)], captured);
    }

    [Fact]
    public async Task A_silo_keeps_patterns_whole_up_to_its_limit_and_no_request_can_raise_it()
    {
        await using var bounded = await HeadClusterTestCluster.StartAsync(
            1,
            options =>
            {
                options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory };
                (options.Patterns.DenseBytes, options.Patterns.TopCount) = (4 * 10 * 10, 3);
            },
            Stop);

        Assert.True((await CaptureAsync(10, PatternSelection.All)).IsWhole);
        Assert.Equal(3, (await CaptureAsync(11, PatternSelection.All)).Kept);
        Assert.Equal(3, (await CaptureAsync(11, new PatternSelection(DenseBytes: long.MaxValue))).Kept);
        Assert.Equal(2, (await CaptureAsync(10, new PatternSelection(DenseBytes: 4 * 9 * 9, TopCount: 2))).Kept);

        async Task<HeadPattern> CaptureAsync(int rows, PatternSelection patterns)
        {
            var request = new AttentionRequest(Matrices.Random(rows, 48), Patterns: patterns);
            return (await bounded.Client.AttendAsync(NanoGpt.Name, 0, request, Stop)).Heads[2].Patterns![0];
        }
    }

    [Fact]
    public async Task A_selection_of_what_is_not_there_is_refused()
    {
        await RefusedAsync(new PatternSelection(Layers: [0, 3]), "the patterns of layer 3 were asked for; expected 0 to 2");
        await RefusedAsync(new PatternSelection(Heads: [-1]), "the patterns of head -1 were asked for; expected 0 to 2");
        await RefusedAsync(PatternSelection.Top(0), "the 0 largest entries of each row");
        await RefusedAsync(new PatternSelection(DenseBytes: -1), "at most -1 bytes");

        async Task RefusedAsync(PatternSelection patterns, string because)
        {
            await Refusal.OfAsync(() => cluster.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest([0, 1], Patterns: patterns), Stop), "model 'nano-gpt'", because);
            await Refusal.OfAsync(
                () => cluster.Client.AttendAsync(NanoGpt.Name, 2, new AttentionRequest(Matrices.Random(2, 48), Patterns: patterns), Stop), "nano-gpt/2", because);
            await Refusal.OfAsync(
                () => cluster.Cluster.Grains.GetGrain<IAttentionHeadGrain>("nano-gpt/2/1").AttendAsync(new HeadRequest(Matrices.Random(2, 48), [2], patterns), Stop),
                "nano-gpt/2/1",
                because);
        }
    }

    // softmax(scores) of one head over one sequence, in double.
    private static double[] Definition(Model model, int layer, int head, FloatTensor x)
    {
        var (weights, sizes) = (model.ReadHead(layer, head), model.Configuration);
        var scores = AttentionDefinition.Scores<double>(
            Project(weights.Query), Project(weights.Key), x.Rows, x.Rows, sizes.HeadDim, sizes.Scale, sizes.Causal, firstPosition: 0, softcap: 0, mask: default);
        return AttentionDefinition.Pattern<double>(scores, x.Rows, x.Rows);

        double[] Project(LinearWeights linear) => AttentionDefinition.Linear<double>(
            Widen(x.Span.ToArray()), Widen(linear.Read()), Widen(linear.Bias ?? []), x.Rows, linear.Inputs, linear.Outputs);
    }

    private static double[] Widen(float[] values) => Array.ConvertAll(values, value => (double)value);
}
