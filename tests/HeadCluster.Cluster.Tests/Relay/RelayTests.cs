using HeadCluster.Testing;

namespace HeadCluster.Tests.Relay;

public sealed class RelayTests
{
    private const string Model = "random:gpt2-small?layers=1";
    private const int ModelDim = 768;
    private const int HeadDim = 64;
    private const int Heads = 12;

    private static readonly LayerId Layer = new(Model, 0);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The second has several blocks of x, the third blocks of z on the way back as well.</summary>
    [Theory]
    [InlineData(1, 7)]
    [InlineData(1, 1000)]
    [InlineData(9, 1000)]
    public async Task Input_of_any_number_of_blocks_gives_the_bits_of_one_silo(int sequences, int length)
    {
        var request = new AttentionRequest(Matrices.Random(sequences * length, ModelDim), [.. Enumerable.Repeat(length, sequences)]);
        await using var one = await HeadClusterTestCluster.StartAsync(1);
        await using var two = await HeadClusterTestCluster.StartAsync(2);
        for (var head = 0; head < Heads; head++)
        {
            // All heads on one silo, so that its reply is as large as can be; the coordinator is asked through the other.
            await two.PlaceHeadAsync(Layer.Head(head), two.Silos[1]);
        }

        var expected = await one.Client.AttendAsync(Model, 0, request, Stop);
        await two.PlaceCoordinatorAsync(Layer, two.Silos[0]);

        // Not by way of the client, which would send the largest in parts.
        var actual = await two.Grains.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString()).AttendAsync(request, Stop);

        Assert.Equal(expected.Output.Span, actual.Output.Span);
        var silo = Assert.Single(actual.Silos);
        Assert.Equal(two.Silos[1], silo.Silo);
        Assert.Equal(Heads, silo.Heads);
        Assert.Equal(sizeof(float) * (long)sequences * length * (ModelDim + (Heads * HeadDim)), silo.Bytes);
        Assert.True(silo.Elapsed >= silo.Computing);
    }

    [Fact]
    public async Task Heads_that_have_moved_are_found_and_asked_there_the_next_time()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3);
        var request = new AttentionRequest(Matrices.Random(900, ModelDim));
        for (var head = 0; head < Heads; head++)
        {
            await cluster.PlaceHeadAsync(Layer.Head(head), cluster.Silos[head % 2]);
        }

        await cluster.PlaceCoordinatorAsync(Layer, cluster.Silos[0]);
        var before = await cluster.Client.AttendAsync(Model, 0, request, Stop);
        await cluster.PlaceHeadAsync(Layer.Head(0), cluster.Silos[2]);
        await cluster.PlaceHeadAsync(Layer.Head(1), cluster.Silos[2]);

        var stale = await cluster.Client.AttendAsync(Model, 0, request, Stop);
        var after = await cluster.Client.AttendAsync(Model, 0, request, Stop);

        Assert.Equal(before.Output.Span, stale.Output.Span);
        Assert.Equal(before.Output.Span, after.Output.Span);
        Assert.All(stale.Heads[..2], head => Assert.Equal(cluster.Silos[2], head.Silo));
        Assert.Equal([5, 6, 6], Served(before, stale).Order());
        Assert.Equal([2, 5, 5], after.Silos.Select(silo => silo.Heads).Order());

        // Asked where they were: two groups of six, and then three as they are.
        static IEnumerable<int> Served(AttentionResult first, AttentionResult second) =>
            first.Silos.Select(silo => silo.Heads).Append(second.Silos.Max(silo => silo.Heads) - 1);
    }

    [Fact]
    public async Task Patterns_and_grouped_queries_come_back_through_the_relay()
    {
        const string Grouped = "random:llama-110m?layers=1&kv_heads=4";
        var request = new AttentionRequest(Matrices.Random(20, ModelDim), [12, 8], PatternSelection.All);
        await using var one = await HeadClusterTestCluster.StartAsync(1);
        await using var three = await HeadClusterTestCluster.StartAsync(3);

        var expected = await one.Client.AttendAsync(Grouped, 0, request, Stop);
        var actual = await three.Client.AttendAsync(Grouped, 0, request, Stop);

        Assert.Equal(expected.Output.Span, actual.Output.Span);
        Assert.Equal(3, actual.Silos.Length);
        foreach (var (alone, apart) in expected.Heads.Zip(actual.Heads))
        {
            Assert.Equal(alone.Head, apart.Head);
            Assert.Equal(alone.Patterns!.Select(pattern => pattern.Shares.Memory.ToArray()), apart.Patterns!.Select(pattern => pattern.Shares.Memory.ToArray()));
        }
    }
}
