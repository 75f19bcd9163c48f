using HeadCluster.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>What a head leaves behind where it was.</summary>
[Collection(nameof(MovedWeightsTests))]
[CollectionDefinition(nameof(MovedWeightsTests), DisableParallelization = true)]
public sealed class MovedWeightsTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1&heads=1&kv_heads=1";
    private const long WeightBytes = 768 * 3 * 64 * sizeof(float);
    private const int Moves = 40;
    private const int Rounds = 10;
    private const int Enough = 2;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_head_that_has_moved_leaves_no_weights_behind()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        var head = new HeadId(Model, 0, 0);
        await cluster.Client.AttendAsync(Model, 0, Matrices.Random(4, 768), Stop);
        await MoveAsync();

        // What is left behind shows in each round; what other tests have left, and what their threads keep for later, comes and goes in some.
        var same = 0;
        for (var round = 0; round < Rounds && same < Enough; round++)
        {
            var before = LargeObjectBytes();
            await MoveAsync();
            var grown = LargeObjectBytes() - before;
            output.WriteLine($"{grown:N0} bytes more in use after {Moves} moves of {WeightBytes:N0} bytes of weights");
            same = Math.Abs(grown) < WeightBytes ? same + 1 : 0;
        }

        Assert.Equal(Enough, same);

        async Task MoveAsync()
        {
            for (var i = 0; i < Moves; i++)
            {
                var from = (await cluster.FindHeadsAsync(Stop))[head];
                await cluster.Client.Scheduler.MoveAsync(head, cluster.Silos.Single(silo => !silo.Equals(from)), Stop);
            }
        }
    }

    // Where weights are, and little else: the rest of the heap goes up and down by megabytes with what else the process does.
    private static long LargeObjectBytes()
    {
        const int LargeObjects = 3;

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var heap = GC.GetGCMemoryInfo(GCKind.FullBlocking).GenerationInfo[LargeObjects];
        return heap.SizeAfterBytes - heap.FragmentationAfterBytes;
    }
}
