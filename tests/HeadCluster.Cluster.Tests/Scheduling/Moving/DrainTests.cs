using HeadCluster.Hosting;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>A silo that leaves gives up what it has first; one that comes gets its share.</summary>
public sealed class DrainTests
{
    private const string Model = "random:gpt2-small?layers=2&heads=4&kv_heads=4";

    private static readonly LayerId Layer = new(Model, 0);
    private static readonly FloatTensor Input = Matrices.Random(24, 768);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_that_fits_nowhere_keeps_no_other_on_a_silo_that_drains()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, options =>
        {
            // Looked at before the other, whose name comes later.
            options.Models["large"] = new ModelOptions { Path = "random:gpt2-small" };
            options.Models["small"] = new ModelOptions { Path = "random:nano" };
            options.MemoryLimitBytes = 1_000_000;
        }, Stop);
        for (var layer = 0; layer < 3; layer++)
        {
            await cluster.Client.AttendAsync("small", layer, Matrices.Random(4, 48), Stop);
        }

        await cluster.Client.Scheduler.DrainAsync(cluster.Silos[1], Stop).LastOrDefaultAsync(Stop);

        var heads = await cluster.FindHeadsAsync(Stop);
        Assert.Equal(9, heads.Count);
        Assert.All(heads.Values, silo => Assert.Equal(cluster.Silos[0], silo));
    }

    [Fact]
    public async Task Silos_that_drain_and_join_under_load_lose_no_request_and_change_no_bit()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(3);
        await cluster.Client.AttendAsync(Model, 1, Input, Stop);
        await using var load = await ServedLoad.StartAsync(cluster, Layer, Input, Stop);
        for (var i = 0; i < 10; i++)
        {
            // Not the first, to which the test's client is connected.
            var silo = cluster.Silos[1 + (i % 2)];
            await cluster.Client.Scheduler.DrainAsync(silo, Stop).LastOrDefaultAsync(Stop);
            Assert.DoesNotContain(silo, (await cluster.FindHeadsAsync(Stop)).Values);

            await cluster.StopSiloAsync(silo);
            await cluster.AddSiloAsync();
            await cluster.Client.Scheduler.ApplyAsync(Model, new PlanRequest("Even"), Stop).LastOrDefaultAsync(Stop);
            Assert.Equal(3, (await cluster.FindHeadsAsync(Stop)).Values.Distinct().Count());
        }

        await load.DisposeAsync();
        TestContext.Current.SendDiagnosticMessage($"{load.Answers} answers, longest gap {load.LongestGap.TotalMilliseconds:0} ms");
        Assert.Equal(0, load.Wrong);
    }
}
