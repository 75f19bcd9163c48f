using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace HeadCluster.Tests.Scheduling;

public sealed class LinkMeterTests
{
    private static readonly LayerId Layer = new("random:gpt2-small?layers=1", 0);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_travel_show_what_the_link_takes_and_how_slow_the_other_silo_answers()
    {
        await using var cluster = await StartAsync();
        var silos = Silos(cluster);
        var links = cluster.GetSiloServiceProvider(silos[0]).GetRequiredService<LinkMeter>();
        var answers = cluster.GetSiloServiceProvider(silos[1]).GetRequiredService<AnswerMeter>();
        await links.MeasureNewAsync(silos, Stop);
        Assert.Null(Assert.Single(links.Links).Slowdown);
        Assert.Null(answers.Slowdown());

        await AttendAsync(cluster);

        Assert.InRange(Assert.Single(links.Links).Slowdown!.Value, double.Epsilon, double.MaxValue);
        Assert.NotNull(answers.Slowdown());
    }

    [Fact]
    public async Task A_request_of_which_a_head_has_left_does_not_show_how_slow_the_silo_answers()
    {
        await using var cluster = await StartAsync();
        var silos = Silos(cluster);
        var answers = cluster.GetSiloServiceProvider(silos[1]).GetRequiredService<AnswerMeter>();
        await AttendAsync(cluster);
        var slowdown = answers.Slowdown()!.Value;

        // The layer still asks the silo for it.
        await cluster.Client.GetGrain<IHeadSchedulerGrain>(Layer.Model).MoveAsync(Layer.Head(1), silos[0], Stop);
        await AttendAsync(cluster);

        Assert.Equal(slowdown, answers.Slowdown()!.Value, slowdown * 1e-9);
    }

    // The second of two silos has every other head, and knows what heads take.
    private static async Task<InProcessTestCluster> StartAsync()
    {
        var cluster = await BareCluster.StartAsync(2);
        var silos = Silos(cluster);
        cluster.GetSiloServiceProvider(silos[1]).GetRequiredService<SiloSpeed>().Add(1e11, TimeSpan.FromSeconds(1), waking: null);
        for (var head = 0; head < 12; head++)
        {
            using var place = PlacementHint.On(silos[head % 2]);
            await cluster.Client.GetGrain<IAttentionHeadGrain>(Layer.Head(head).ToString()).LocateAsync(Stop);
        }

        return cluster;
    }

    private static SiloAddress[] Silos(InProcessTestCluster cluster) => [.. cluster.GetActiveSilos().Select(silo => silo.SiloAddress)];

    // On the first silo.
    private static async Task AttendAsync(InProcessTestCluster cluster)
    {
        using var place = PlacementHint.On(Silos(cluster)[0]);
        await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString()).AttendAsync(new AttentionRequest(Matrices.Random(10, 768)), Stop);
    }
}
