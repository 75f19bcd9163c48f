using System.Net;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Tests.Scheduling;

public sealed class ModelPlannerTests
{
    private const string Model = "random:gpt2-small?layers=1";

    private static readonly SiloAddress[] Silos = [.. Enumerable.Range(1, 3).Select(port => SiloAddress.New(IPAddress.Loopback, port, 1))];

    [Fact]
    public async Task Links_are_as_slow_as_requests_found_them_and_those_that_none_used_as_the_best_of_the_others()
    {
        await using var cluster = await BareCluster.StartAsync(1);
        var planner = cluster.GetSiloServiceProvider().GetRequiredService<ModelPlanner>();

        var links = planner.Problem(Model, new RequestShape(Rows: 1), [Profile(0, [null, 4, 2]), Profile(1, [null, null, null]), Profile(2, [null, null, null])]).Links;

        Assert.Equal(new SiloLink(TimeSpan.FromMilliseconds(4), 0.25e9), links.Between(0, 1));
        Assert.Equal(new SiloLink(TimeSpan.FromMilliseconds(2), 0.5e9), links.Between(0, 2));
        Assert.Equal(links.Between(0, 2), links.Between(1, 2));
    }

    [Fact]
    public async Task Answers_are_as_slow_as_requests_found_them_and_else_as_the_speed_says()
    {
        await using var cluster = await BareCluster.StartAsync(1);
        var planner = cluster.GetSiloServiceProvider().GetRequiredService<ModelPlanner>();

        var silos = planner.Problem(Model, new RequestShape(Rows: 1), [Profile(0, []), Profile(1, [], answerSlowdown: 1.5)]).Silos;

        Assert.Equal([1, 1.5], silos.Select(silo => silo.AnswerSlowdown));
    }

    [Fact]
    public async Task Heads_count_with_the_speed_they_showed_and_a_silo_sustains_at_most_that()
    {
        await using var cluster = await BareCluster.StartAsync(1);
        var planner = cluster.GetSiloServiceProvider().GetRequiredService<ModelPlanner>();

        SiloProfile[] profiles = [Profile(0, [], speed: 8e10), Profile(1, [], speed: 8e10, sustained: 2e10), Profile(2, [], speed: 1e10, sustained: 2e10)];
        var silos = planner.Problem(Model, new RequestShape(Rows: 1), profiles).Silos;

        Assert.Equal([(8e10, 1), (8e10, 0.25), (1e10, 1)], silos.Select(silo => (silo.OperationsPerSecond, silo.SustainedShare)));
    }

    [Fact]
    public async Task Plans_are_preliminary_while_only_some_of_the_silos_with_heads_have_shown_their_speed()
    {
        await using var cluster = await BareCluster.StartAsync(1);
        var planner = cluster.GetSiloServiceProvider().GetRequiredService<ModelPlanner>();
        HeadId[] heads = [new(Model, 0, 0)];

        Assert.False(IsPreliminary(Profile(0, []) with { Heads = heads }, Profile(1, [])));
        Assert.True(IsPreliminary(Profile(0, []) with { Heads = heads }, Profile(1, [], speed: 1e11)));
        Assert.False(IsPreliminary(Profile(0, [], speed: 1e11) with { Heads = heads }, Profile(1, [])));
        Assert.False(IsPreliminary(Profile(0, [], speed: 1e11) with { Heads = heads }, Profile(1, []) with { Heads = heads, IsDraining = true }));

        // With one row a head computes for too little to show it ever.
        Assert.False(planner.Problem(Model, new RequestShape(Rows: 1), [Profile(0, []) with { Heads = heads }, Profile(1, [], speed: 1e11)]).IsPreliminary);

        bool IsPreliminary(params SiloProfile[] profiles) => planner.Problem(Model, new RequestShape(Rows: 64), profiles).IsPreliminary;
    }

    [Fact]
    public async Task What_was_on_a_silo_that_drains_or_has_gone_is_lost_and_what_was_never_asked_for_is_not()
    {
        await using var cluster = await BareCluster.StartAsync(1);
        var planner = cluster.GetSiloServiceProvider().GetRequiredService<ModelPlanner>();
        SiloProfile[] profiles = [Profile(0, []) with { Heads = [new(Model, 0, 0)] }, Profile(1, [])];
        var last = HeadPlanner.Plan(planner.Problem(Model, new RequestShape(Rows: 1), profiles), new EvenStrategy());

        Assert.False(HasLost(profiles, last: null));
        Assert.False(HasLost(profiles, last));
        Assert.False(HasLost([profiles[0], profiles[1] with { IsDraining = true }], last: null));
        Assert.True(HasLost([profiles[0] with { IsDraining = true }, profiles[1]], last: null));
        Assert.True(HasLost([profiles[0]], last));

        bool HasLost(SiloProfile[] silos, HeadPlan? last) => planner.Problem(Model, new RequestShape(Rows: 1), silos, last: last).HasLost;
    }

    [Fact]
    public async Task Silos_that_drain_or_have_left_are_absent()
    {
        await using var cluster = await BareCluster.StartAsync(2);
        var silos = cluster.GetActiveSilos().ToArray();
        await cluster.StopSiloAsync(silos[1], TestContext.Current.CancellationToken);
        await cluster.WaitForLivenessToStabilizeAsync();
        var planner = cluster.GetSiloServiceProvider(silos[0].SiloAddress).GetRequiredService<ModelPlanner>();

        var one = Profile(0, []) with { Name = silos[0].Name };
        Assert.Equal([silos[1].Name], Absent(one));
        Assert.Equal(new[] { silos[0].Name, silos[1].Name }.Order(), Absent(one with { IsDraining = true }, Profile(1, [])));

        IEnumerable<string> Absent(params SiloProfile[] profiles) => planner.Problem(Model, new RequestShape(Rows: 1), profiles).Absent.Order();
    }

    private static SiloProfile Profile(
        int silo, double?[] slowdowns, double? answerSlowdown = null, double? speed = null, double? sustained = null) => new(
        Silos[silo],
        $"silo-{silo + 1}",
        IsDraining: false,
        Threads: 1,
        Calibrated: 1e11,
        speed,
        ReadBytesPerSecond: 1e10,
        MemoryBytes: 1L << 40,
        Heads: [],
        Coordinators: [],
        Served: default,
        Links: [.. slowdowns.Index().Where(link => link.Index != silo).Select(link => new MeasuredLink(Silos[link.Index], TimeSpan.FromMilliseconds(1), 1e9, link.Item))],
        Start: TimeSpan.Zero,
        answerSlowdown,
        sustained);
}
