using System.Diagnostics;
using HeadCluster.Diagnostics;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using HeadCluster.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Tests.Transformer;

/// <summary>Generating from whatever the model takes, while silos come and go.</summary>
public sealed class GenerationTests
{
    // Of eight positions: 64 keys and 8 values of 16 elements.
    private const long BytesOfHead = sizeof(float) * 16 * (64 + 8);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_generation_goes_on_where_its_model_has_moved_to_with_the_tokens_that_it_would_have_had()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        var request = new GenerationRequest([1, 2, 0, 1, 2, 0], Steps: 6);
        var expected = await cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop).ToListAsync(Stop);
        var before = await WhereAsync(cluster);

        var tokens = new List<GeneratedToken>();
        await foreach (var token in cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop))
        {
            tokens.Add(token);
            if (tokens.Count == 1)
            {
                await cluster.Client.Scheduler.DrainAsync(before, Stop).LastOrDefaultAsync(Stop);
            }
        }

        Assert.Equal(expected, tokens);
        Assert.NotEqual(before, await WhereAsync(cluster));
    }

    [Theory]
    [InlineData(null, new[] { 5, 5, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1 })]
    // No room, or only for five of the nine heads: what could not go on is computed as a whole, and after two such steps nothing else is tried.
    [InlineData(0L, new[] { 5, 5, 5, 1, 6, 6, 6, 1, 7, 7, 7, 8, 8, 8 })]
    [InlineData(5 * BytesOfHead, new[] { 5, 5, 5, 1, 6, 6, 6, 1, 7, 7, 7, 8, 8, 8 })]
    public async Task Each_step_computes_one_row_where_heads_may_keep_the_others(long? sequenceMemory, int[] rows)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            1,
            options =>
            {
                options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory };
                options.SequenceMemoryBytes = sequenceMemory;
            },
            Stop);
        using var collector = cluster.CollectSpans();

        var tokens = await cluster.Client.GenerateAsync(NanoGpt.Name, new GenerationRequest([1, 2, 0, 1, 2], Steps: 4), Stop).ToListAsync(Stop);

        Assert.Equal(rows, Rows(collector));
        Assert.All(collector.Spans, span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
        int[] all = [1, 2, 0, 1, 2, .. tokens.Select(token => token.Token)];
        var choices = await cluster.Client.LogitsAsync(NanoGpt.Name, all.AsMemory(..^1), Stop);
        Assert.Equal(all[5..], Enumerable.Range(4, 4).Select(position => GreedyChoice.From(choices.Row(position), position).Token));
    }

    [Fact]
    public async Task Heads_that_move_within_a_generation_go_on_where_they_are()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var collector = cluster.CollectSpans();
        var request = new GenerationRequest([1, 2, 0], Steps: 5);
        var before = new Dictionary<HeadId, SiloAddress>();

        await foreach (var token in cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop))
        {
            if (token.Position == 4)
            {
                foreach (var (head, silo) in await cluster.FindHeadsAsync(Stop))
                {
                    before[head] = silo;
                    await cluster.PlaceHeadAsync(head, cluster.Silos.First(other => !other.Equals(silo)));
                }
            }
        }

        Assert.Equal(9, before.Count);
        Assert.All(await cluster.FindHeadsAsync(Stop), place => Assert.NotEqual(before[place.Key], place.Value));
        Assert.Equal([3, 3, 3, .. Enumerable.Repeat(1, 12)], Rows(collector));
    }

    [Fact]
    public async Task A_generation_gives_the_same_tokens_after_a_silo_and_what_its_heads_kept_are_lost()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3, NanoGpt.Model);
        var request = new GenerationRequest([1, 2, 0, 1, 2, 0], Steps: 6);
        var expected = await cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop).ToListAsync(Stop);
        var model = await WhereAsync(cluster);
        var doomed = (await cluster.FindHeadsAsync(Stop)).Values.First(silo => !silo.Equals(model));

        var tokens = new List<GeneratedToken>();
        await foreach (var token in cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop))
        {
            tokens.Add(token);
            if (tokens.Count == 2)
            {
                await cluster.KillSiloAsync(doomed);
            }
        }

        Assert.Equal(expected, tokens);
    }

    // Where it is not, it would not end.
    [Fact(Timeout = 60_000)]
    public async Task What_heads_keep_of_a_generation_is_let_go_of_when_it_ends()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var cluster = await BareCluster.StartAsync(2, silo => silo.Configure<HeadClusterOptions>(
            options => options.Models[NanoGpt.Name] = new() { Path = NanoGpt.Directory }));
        var model = cluster.Client.GetGrain<ITransformerGrain>(NanoGpt.Name);
        await foreach (var token in model.GenerateAsync(new GenerationRequest([1, 2, 0], Steps: 3), Stop))
        {
            Assert.True(token.Position > 3 || Kept() > 0);
        }

        // It is told in one message a silo, which nobody answers.
        while (Kept() > 0)
        {
            stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        long Kept() => cluster.Silos.Sum(silo => cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<SequenceCaches>().Bytes);
    }

    [Fact]
    public async Task A_prompt_may_be_as_long_as_the_model_takes_though_no_message_holds_the_logits_of_all_of_it()
    {
        // 200 tokens of which each has 400,000 logits of 4 bytes; a message holds 255 MiB.
        using var directory = new TemporaryDirectory();
        TinyGpt.Write(directory, vocabulary: 400_000, positions: 202, _ => 1);
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, ("wide", directory.Path));
        var prompt = Enumerable.Range(0, 200).ToArray();
        await Refusal.OfAsync(() => cluster.Client.LogitsAsync("wide", prompt, Stop), "the reply takes 320000000 bytes");

        var tokens = await cluster.Client.GenerateAsync("wide", new GenerationRequest(prompt, Steps: 3), Stop).ToListAsync(Stop);

        Assert.Equal([200, 201, 202], tokens.Select(token => token.Position));
    }

    [Theory]
    [InlineData("transformer.h.0.mlp", "what layer 1 gets is not finite")]
    [InlineData("transformer.ln_f", "what it says of the next token is not finite")]
    public async Task Weights_that_are_too_large_to_compute_with_are_the_models_fault(string large, string words)
    {
        using var directory = new TemporaryDirectory();
        TinyGpt.Write(directory, vocabulary: 10, positions: 8, name => name.StartsWith(large, StringComparison.Ordinal) ? 1.5e38f : 1);
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, ("large", directory.Path));

        var error = await Refusal.OfAsync(
            () => cluster.Client.GenerateAsync("large", new GenerationRequest([1, 2, 3], Steps: 2), Stop).ToListAsync(Stop).AsTask(), "model 'large'", words);

        Assert.Equal(HeadClusterErrorKind.InvalidModel, error.Kind);
    }

    // Where the model is.
    private static async Task<SiloAddress> WhereAsync(HeadClusterTestCluster cluster) =>
        (await cluster.Grains.GetGrain<IManagementGrain>(0).GetActivationAddress(cluster.Grains.GetGrain<ITransformerGrain>(NanoGpt.Name), Stop))!;

    // Of each layer's passes.
    private static IEnumerable<int> Rows(SpanCollector collector) =>
        collector.Spans.Where(span => span.OperationName == "attention").Select(span => (int)span.GetTagItem(HeadClusterTelemetry.RowsTag)!);
}
