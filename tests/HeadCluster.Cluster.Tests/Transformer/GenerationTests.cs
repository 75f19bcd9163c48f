using HeadCluster.Testing;

namespace HeadCluster.Tests.Transformer;

/// <summary>Generating while silos come and go.</summary>
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
}
