using HeadCluster.Client;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using HeadCluster.Scheduling;
using HeadCluster.Testing;
using Microsoft.Extensions.DependencyInjection;

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
    public async Task A_drain_that_leaves_heads_of_a_model_behind_says_of_which_and_moves_what_else_there_is()
    {
        await using var cluster = await BareCluster.StartAsync(2, silo => silo.AddHeadCluster(options =>
        {
            // Half of its heads and the output projection are 6 MB, all of them 9.4 MB. Drained before the other, whose name comes later.
            options.Models["large"] = new ModelOptions { Path = "random:gpt2-small?layers=1" };
            options.Models["small"] = new ModelOptions { Path = "random:nano" };
            options.MemoryLimitBytes = 8_000_000;
        }));
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        await using var client = new HeadClusterClient(cluster.Client);
        using (PlacementHint.On(silos[0]))
        {
            await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(new LayerId("large", 0).ToString()).IsServingAsync(Guid.Empty, Stop);
        }

        await client.AttendAsync("large", 0, Input, Stop);
        for (var layer = 0; layer < 3; layer++)
        {
            await client.AttendAsync("small", layer, Matrices.Random(4, 48), Stop);
        }

        var services = cluster.GetSiloServiceProvider(silos[1]);
        var local = services.GetRequiredService<LocalGrains>();
        Assert.Equal((6, true), (local.HeadsOf("large").Length, local.HeadsOf("small").Length > 0));

        var told = await Assert.ThrowsAsync<HeadClusterException>(async () => await client.Scheduler.DrainAsync(silos[1], Stop).LastOrDefaultAsync(Stop));

        Assert.Equal((6, 0), (local.HeadsOf("large").Length, local.HeadsOf("small").Length));
        var leaving = await Assert.ThrowsAsync<HeadClusterException>(() => services.GetRequiredService<SiloDrain>().DrainAsync(Stop));
        foreach (var error in new[] { told, leaving })
        {
            Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
            Assert.Contains("model 'large' does not fit", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_silo_that_heads_are_pinned_to_drains_and_leaves_and_the_next_drains_too()
    {
        const string Nano = "random:nano";
        using var directory = new TemporaryDirectory();
        var file = directory.File("plan.json");
        await File.WriteAllTextAsync(file, """{ "heads": { "*": "unknown yet" } }""", Stop);
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            3, options => (options.Scheduling.Strategy, options.Scheduling.PinnedFile) = (PlanStrategies.Pinned, file), Stop);
        var silos = cluster.Silos;
        var names = (await cluster.Client.StatusAsync(Stop)).Silos.ToDictionary(silo => silo.Address, silo => silo.Name);
        await File.WriteAllTextAsync(file, $$"""{ "heads": { "0/0": "{{names[silos[0]]}}", "0/1": "{{names[silos[1]]}}", "*": "{{names[silos[2]]}}" } }""", Stop);
        await cluster.Client.Scheduler.ApplyAsync(Nano, cancellationToken: Stop).LastOrDefaultAsync(Stop);
        Assert.Equal(silos[1], (await cluster.FindHeadsAsync(Stop))[new HeadId(Nano, 0, 1)]);

        foreach (var silo in new[] { silos[1], silos[2] })
        {
            await cluster.Client.Scheduler.DrainAsync(silo, Stop).LastOrDefaultAsync(Stop);
            var heads = await cluster.FindHeadsAsync(Stop);
            Assert.Equal(9, heads.Count);
            Assert.DoesNotContain(silo, heads.Values);
            Assert.Equal(silos[0], heads[new HeadId(Nano, 0, 0)]);
            await cluster.StopSiloAsync(silo);
        }
    }

    [Fact]
    public async Task What_has_no_room_where_it_was_to_go_keeps_nothing_else_of_its_model_on_a_silo_that_drains()
    {
        // A layer's one head takes three times the memory of its output projection.
        const string OneHead = "random:gpt2-small?layers=2&heads=1";
        await using var cluster = await BareCluster.StartAsync(2);
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        var (from, to) = (cluster.GetSiloServiceProvider(silos[0]), cluster.GetSiloServiceProvider(silos[1]));
        await using var client = new HeadClusterClient(cluster.Client);
        using (PlacementHint.On(silos[0]))
        {
            await client.AttendAsync(OneHead, 0, Input, Stop);
            await client.AttendAsync(OneHead, 1, Input, Stop);
        }

        // Room that the model seems to have, as it has taken it, and that nothing else of it gets.
        var local = from.GetRequiredService<LocalGrains>();
        Assert.Equal((2, 2), (local.HeadsOf(OneHead).Length, local.CoordinatorsOf(OneHead).Length));
        var memory = to.GetRequiredService<WeightMemory>();
        using var taken = memory.Reserve(memory.AvailableTo(OneHead) - 500_000, OneHead, "another");

        var error = await Assert.ThrowsAsync<HeadClusterException>(async () => await client.Scheduler.DrainAsync(silos[0], Stop).LastOrDefaultAsync(Stop));

        Assert.Equal(HeadClusterErrorKind.OutOfMemory, error.Kind);
        Assert.Equal((2, 0), (local.HeadsOf(OneHead).Length, local.CoordinatorsOf(OneHead).Length));
        Assert.Equal(2, to.GetRequiredService<LocalGrains>().CoordinatorsOf(OneHead).Length);
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
