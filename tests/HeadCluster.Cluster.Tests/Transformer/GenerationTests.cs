using HeadCluster.Testing;

namespace HeadCluster.Tests.Transformer;

/// <summary>Generating from whatever the model takes, while silos come and go.</summary>
public sealed class GenerationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_generation_goes_on_where_its_model_has_moved_to_with_the_tokens_that_it_would_have_had()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        var request = new GenerationRequest([1, 2, 0, 1, 2, 0], Steps: 6);
        var expected = await cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop).ToListAsync(Stop);
        var model = cluster.Grains.GetGrain<ITransformerGrain>(NanoGpt.Name);
        var before = await WhereAsync();

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
        Assert.NotEqual(before, await WhereAsync());

        async Task<SiloAddress> WhereAsync() => (await cluster.Grains.GetGrain<IManagementGrain>(0).GetActivationAddress(model))!;
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
}
