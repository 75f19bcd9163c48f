using System.Text.RegularExpressions;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Attention;

/// <summary>A request that is not done in its time ends everywhere, and says what it waited for.</summary>
public sealed class TimeLimitTests
{
    private const string Model = "random:gpt2-small?layers=1&heads=4&kv_heads=4";
    private const int Heads = 4;

    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);
    private static readonly LayerId Layer = new(Model, 0);
    private static readonly FloatTensor Input = Matrices.Random(8, 768);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Layer_that_is_not_done_in_time_names_the_heads_it_waits_for_and_their_silo_and_no_head_computes_on(int slow)
    {
        await using var cluster = await StartAsync();
        cluster.SlowSilo(cluster.Silos[slow], Forever);

        var error = await Assert.ThrowsAsync<HeadClusterException>(
            () => cluster.Client.AttendAsync(Model, 0, new AttentionRequest(Input, TimeLimit: Limit), Stop));

        Assert.Equal(HeadClusterErrorKind.Timeout, error.Kind);
        Assert.False(error.IsTransient);
        Assert.Matches(
            $@"^layer {Regex.Escape(Model)}/0: the time limit of \d+\.\d+ s passed on silo {Regex.Escape(cluster.Silos[0].ToString())} "
            + $@"after \d+\.\d+ s, with heads {slow}, {slow + 2} on {Regex.Escape(cluster.Silos[slow].ToString())} pending$",
            error.Message);
        await cluster.WaitUntilIdleAsync(Stop);
        Assert.Equal(Heads / 2, cluster.InterruptedComputations);
    }

    [Fact]
    public async Task Silo_ends_the_work_by_itself_when_the_coordinator_is_gone()
    {
        await using var cluster = await StartAsync();
        cluster.SlowSilo(cluster.Silos[1], Forever);

        // By way of the grain: the client would send it again.
        var request = cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString())
            .AttendAsync(new AttentionRequest(Input, TimeLimit: TimeSpan.FromSeconds(3)), Stop);
        await cluster.WaitForComputationsAsync(cluster.Silos[1], Heads / 2, Stop);

        // Who is killed tells nobody to stop.
        await cluster.KillSiloAsync(cluster.Silos[0]);
        request.Ignore();

        await cluster.WaitUntilIdleAsync(Stop);
        Assert.Equal(Heads / 2, cluster.InterruptedComputations);
    }

    [Fact]
    public async Task Model_that_is_not_done_in_time_names_the_layer_it_had_come_to()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        var request = new ForwardRequest(NanoGpt.WithAnswer([0, 1, 2, 2, 1, 0]));
        await cluster.Client.ForwardAsync(NanoGpt.Name, request, Stop);

        foreach (var silo in cluster.Silos)
        {
            // Heads as small as these may hear of nothing while they compute.
            cluster.SlowSilo(silo, 2 * Limit);
        }

        var error = await Assert.ThrowsAsync<HeadClusterException>(
            () => cluster.Client.ForwardAsync(NanoGpt.Name, request with { TimeLimit = Limit }, Stop));

        Assert.Equal(HeadClusterErrorKind.Timeout, error.Kind);
        Assert.Matches(
            @"^model 'nano-gpt': the time limit of \d+\.\d+ s passed on silo \S+ after \d+\.\d+ s, with layer [01] of 3.* pending$",
            error.Message);
        await cluster.WaitUntilIdleAsync(Stop);
    }

    [Fact]
    public async Task Generation_that_is_not_done_in_time_ends_after_the_tokens_that_were()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        var request = new GenerationRequest([0, 1, 2, 2, 1, 0], Steps: 6);
        var expected = await cluster.Client.GenerateAsync(NanoGpt.Name, request, Stop).ToListAsync(Stop);
        var limit = 10 * Limit;
        var tokens = new List<GeneratedToken>();

        var error = await Assert.ThrowsAsync<HeadClusterException>(async () =>
        {
            await foreach (var token in cluster.Client.GenerateAsync(NanoGpt.Name, request with { TimeLimit = limit }, Stop))
            {
                tokens.Add(token);
                foreach (var silo in cluster.Silos)
                {
                    cluster.SlowSilo(silo, 2 * limit);
                }
            }
        });

        Assert.Equal(HeadClusterErrorKind.Timeout, error.Kind);
        Assert.Matches(@"^model 'nano-gpt': the time limit of \d+\.\d+ s passed on silo \S+ after \d+\.\d+ s, with layer [01] of 3.* pending$", error.Message);
        Assert.NotEmpty(tokens);
        Assert.Equal(expected[..tokens.Count], tokens);
        await cluster.WaitUntilIdleAsync(Stop);
    }

    [Fact]
    public async Task Request_that_is_done_in_time_has_the_bits_of_one_without_a_limit()
    {
        await using var cluster = await StartAsync();
        var expected = await cluster.Client.AttendAsync(Model, 0, Input, Stop);

        var actual = await cluster.Client.AttendAsync(Model, 0, new AttentionRequest(Input, TimeLimit: TimeSpan.FromMinutes(10)), Stop);

        Assert.Equal(expected.Output.Span, actual.Output.Span);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(601)]
    public async Task Limit_that_is_none_is_refused_by_client_and_grains(int seconds)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, NanoGpt.Model);
        var limit = TimeSpan.FromSeconds(seconds);
        var attention = new AttentionRequest(Input, TimeLimit: limit);
        var forward = new ForwardRequest([0], TimeLimit: limit);
        var generation = new GenerationRequest([0], Steps: 1, limit);

        await RefusedAsync(() => cluster.Client.AttendAsync(Model, 0, attention, Stop));
        await RefusedAsync(() => cluster.Client.ForwardAsync(NanoGpt.Name, forward, Stop));
        await RefusedAsync(() => cluster.Client.GenerateAsync(NanoGpt.Name, generation, Stop).CountAsync(Stop).AsTask());
        await RefusedAsync(() => cluster.Grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString()).AttendAsync(attention, Stop));
        await RefusedAsync(() => cluster.Grains.GetGrain<ITransformerGrain>(NanoGpt.Name).ForwardAsync(forward, Stop));
        await RefusedAsync(() => cluster.Grains.GetGrain<ITransformerGrain>(NanoGpt.Name).GenerateAsync(generation, Stop).CountAsync(Stop).AsTask());

        async Task RefusedAsync(Func<Task> request)
        {
            var error = await Assert.ThrowsAsync<HeadClusterException>(request);
            Assert.Equal(HeadClusterErrorKind.InvalidInput, error.Kind);
            Assert.Equal($"the time limit is {seconds} s; expected more than 0 and at most 600 s", error.Message);
        }
    }

    // Heads 0 and 2 on the first silo, which has the coordinator, 1 and 3 on the second.
    private static async Task<HeadClusterTestCluster> StartAsync()
    {
        var cluster = await HeadClusterTestCluster.StartAsync(2, options => options.ComputeThreads = Heads, Stop);
        for (var head = 0; head < Heads; head++)
        {
            await cluster.PlaceHeadAsync(Layer.Head(head), cluster.Silos[head % 2]);
        }

        await cluster.PlaceCoordinatorAsync(Layer, cluster.Silos[0]);
        await cluster.Client.AttendAsync(Model, 0, Input, Stop);
        return cluster;
    }
}
