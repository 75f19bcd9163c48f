using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Tests.Scheduling;

public sealed class LinkMeterTests
{
    private static readonly LayerId Layer = new("random:gpt2-small?layers=1", 0);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_travel_show_what_the_link_takes_and_how_slow_the_other_silo_answers()
    {
        await using var cluster = await BareCluster.StartAsync(2);
        var silos = cluster.GetActiveSilos().Select(silo => silo.SiloAddress).ToArray();
        var links = cluster.GetSiloServiceProvider(silos[0]).GetRequiredService<LinkMeter>();
        await links.MeasureNewAsync(silos, Stop);
        Assert.Null(Assert.Single(links.Links).Slowdown);

        // What heads take has to be known first.
        var answers = cluster.GetSiloServiceProvider(silos[1]).GetRequiredService<AnswerMeter>();
        cluster.GetSiloServiceProvider(silos[1]).GetRequiredService<SiloSpeed>().Add(1e11, TimeSpan.FromSeconds(1), waking: null);
        Assert.Null(answers.Slowdown());
        for (var head = 0; head < 12; head++)
        {
            using var place = PlacementHint.On(silos[head % 2]);
            await cluster.Client.GetGrain<IAttentionHeadGrain>(Layer.Head(head).ToString()).LocateAsync(Stop);
        }

        using (PlacementHint.On(silos[0]))
        {
            await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(Layer.ToString()).AttendAsync(new AttentionRequest(Matrices.Random(10, 768)), Stop);
        }

        Assert.InRange(Assert.Single(links.Links).Slowdown!.Value, double.Epsilon, double.MaxValue);
        Assert.NotNull(answers.Slowdown());
    }
}
