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
    private const int Rounds = 3;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_head_that_has_moved_leaves_no_weights_behind()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        var head = new HeadId(Model, 0, 0);
        await cluster.Client.AttendAsync(Model, 0, Matrices.Random(4, 768), Stop);
        await MoveAsync();

        // Other things of the process grow as well, now and then; what moves leave behind grows in each round.
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await MoveAsync();
            var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
            output.WriteLine($"{grown:N0} bytes more in use after {Moves} moves of {WeightBytes:N0} bytes of weights");
            least = Math.Min(least, grown);
        }

        Assert.InRange(least, long.MinValue, WeightBytes - 1);

        async Task MoveAsync()
        {
            for (var i = 0; i < Moves; i++)
            {
                var from = (await cluster.FindHeadsAsync(Stop))[head];
                await cluster.Client.Scheduler.MoveAsync(head, cluster.Silos.Single(silo => !silo.Equals(from)), Stop);
            }
        }
    }
}
