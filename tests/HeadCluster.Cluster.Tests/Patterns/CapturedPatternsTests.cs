using HeadCluster.Hosting;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Patterns;

/// <summary>The last captured request of a model can be looked at afterwards.</summary>
public sealed class CapturedPatternsTests
{
    private static readonly int[] Tokens = [0, 1, 2, 0, 1, 2, 0];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_last_captured_request_is_kept_with_the_scores_of_its_heads()
    {
        await using var cluster = await StartAsync(silos: 2);
        var kept = cluster.Grains.GetGrain<ICapturedPatternsGrain>(NanoGpt.Name);
        Assert.Null(await kept.GetAsync(Stop));

        int[] lengths = [4, 3];
        var answer = await cluster.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest(Tokens, lengths, Patterns: new(Layers: [1])), Stop);
        var capture = await WaitAsync(kept, Guid.Empty);

        Assert.Equal(Tokens, capture.Tokens);
        Assert.Equal(lengths, capture.SequenceLengths);
        Assert.Equal(answer.Layers[1].Select(head => head.Head), capture.Heads.Select(head => head.Head));
        foreach (var (head, report) in capture.Heads.Zip(answer.Layers[1]))
        {
            var pattern = await kept.GetPatternAsync(capture.Id, head.Head, sequence: 1, Stop);
            Assert.Equal(report.Patterns![1].Shares.Span, pattern!.Shares.Span);
            Assert.Equal(
                HeadScores.Mean([Score(report.Patterns[0], Tokens[..4]), Score(report.Patterns[1], Tokens[4..])]),
                Assert.Single(head.Scores!));
        }

        Assert.Null(await kept.GetPatternAsync(capture.Id, capture.Heads[0].Head, sequence: 2, Stop));
        Assert.Null(await kept.GetPatternAsync(capture.Id, new HeadId(NanoGpt.Name, 0, 0), sequence: 0, Stop));

        await cluster.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest([2, 2], Patterns: PatternSelection.Top(1)), Stop);
        var next = await WaitAsync(kept, capture.Id);
        Assert.Equal([2, 2], next.Tokens);
        Assert.All(next.Heads, head => Assert.Null(head.Scores));
        Assert.Null(await kept.GetPatternAsync(capture.Id, capture.Heads[0].Head, sequence: 0, Stop));
    }

    [Fact]
    public async Task A_request_that_asks_for_no_patterns_may_be_sampled_and_never_sees_it()
    {
        await using var plain = await StartAsync(silos: 1);
        await using var sampling = await StartAsync(silos: 1, options => options.SampleInterval = TimeSpan.FromHours(1));
        var expected = await plain.Client.LogitsAsync(NanoGpt.Name, Tokens, Stop);

        var answer = await sampling.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest(Tokens), Stop);
        var kept = sampling.Grains.GetGrain<ICapturedPatternsGrain>(NanoGpt.Name);
        var capture = await WaitAsync(kept, Guid.Empty);

        Assert.Equal(expected.Span, answer.Logits.Span);
        Assert.All(answer.Layers.SelectMany(layer => layer), head => Assert.Null(head.Patterns));
        Assert.Equal(Tokens, capture.Tokens);
        Assert.Equal(9, capture.Heads.Length);

        // The hour is not over.
        await sampling.Client.LogitsAsync(NanoGpt.Name, new[] { 1, 1 }, Stop);
        await plain.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest(Tokens, Patterns: PatternSelection.All), Stop);
        await WaitAsync(plain.Grains.GetGrain<ICapturedPatternsGrain>(NanoGpt.Name), Guid.Empty);
        Assert.Equal(capture.Id, (await kept.GetAsync(Stop))!.Id);
    }

    [Fact]
    public async Task A_capture_beyond_the_limit_is_answered_but_not_kept()
    {
        await using var cluster = await StartAsync(silos: 1, options => options.KeptBytes = 9 * 4 * 4 * sizeof(float));
        var kept = cluster.Grains.GetGrain<ICapturedPatternsGrain>(NanoGpt.Name);

        var large = await cluster.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest(Tokens, Patterns: PatternSelection.All), Stop);
        await cluster.Client.ForwardAsync(NanoGpt.Name, new ForwardRequest(Tokens[..4], Patterns: PatternSelection.All), Stop);

        Assert.NotNull(large.Layers[0][0].Patterns);
        Assert.Equal(4, (await WaitAsync(kept, Guid.Empty)).Tokens.Length);
    }

    [Theory]
    [InlineData("DenseBytes is -1; set it to 0 or more")]
    [InlineData("TopCount is 0; set it to 1 or more")]
    [InlineData("KeptBytes is -1; set it to 0 or more")]
    [InlineData("SampleInterval is 00:00:00.0500000; set it to 00:00:00.1000000 to 1.00:00:00, or leave it out")]
    public async Task Options_out_of_range_are_refused_at_start(string complaint)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(silos: 1, options =>
        {
            options.DenseBytes = complaint.StartsWith("Dense", StringComparison.Ordinal) ? -1 : options.DenseBytes;
            options.TopCount = complaint.StartsWith("Top", StringComparison.Ordinal) ? 0 : options.TopCount;
            options.KeptBytes = complaint.StartsWith("Kept", StringComparison.Ordinal) ? -1 : options.KeptBytes;
            options.SampleInterval = complaint.StartsWith("Sample", StringComparison.Ordinal) ? TimeSpan.FromMilliseconds(50) : null;
        }));

        Assert.Contains($"HeadCluster:Patterns:{complaint}", error.ToString(), StringComparison.Ordinal);
    }

    private static Task<HeadClusterTestCluster> StartAsync(int silos, Action<HeadCluster.Patterns.PatternOptions>? configure = null) =>
        HeadClusterTestCluster.StartAsync(
            silos,
            options =>
            {
                options.Models[NanoGpt.Name] = new ModelOptions { Path = NanoGpt.Directory };
                configure?.Invoke(options.Patterns);
            },
            Stop);

    private static HeadScores Score(HeadPattern pattern, int[] tokens) => HeadScores.Of(pattern.Matrix(0), tokens);

    // Nobody waits for a capture to be kept, so whoever looks may have to look again.
    private static async Task<CapturedRequest> WaitAsync(ICapturedPatternsGrain kept, Guid after)
    {
        while (true)
        {
            if (await kept.GetAsync(Stop) is { } capture && capture.Id != after)
            {
                return capture;
            }
        }
    }
}
