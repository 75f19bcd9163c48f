using System.Reflection;
using System.Runtime.CompilerServices;
using HeadCluster.Grains;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace HeadCluster.Tests.Scheduling;

public sealed class SiloDrainTests
{
    private const string Model = "random:nano";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_while_a_silo_drains_moves_too()
    {
        await using var cluster = await BareCluster.StartAsync(2);
        var (local, coming) = (new LocalGrains(), 2);
        Come();

        await Drained(cluster, local, Drain).DrainAsync(Stop);

        Assert.Equal((0, 0), (coming, local.Models.Length));

        // One leaves, and another comes that began to be activated before.
        IEnumerable<MoveReport> Drain(SiloAddress silo)
        {
            var grain = local.CoordinatorsOf(Model).Single();
            local.RemoveCoordinator(grain, Task.CompletedTask);
            if (coming > 0)
            {
                Come();
            }

            yield return new MoveReport(Head: null, silo, silo, Bytes: 0, TimeSpan.Zero);
        }

        void Come() => local.AddCoordinator(GrainId.Create("multi-head-attention", $"{Model}/{--coming}"), Model);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_drain_that_runs_out_of_time_says_what_else_has_kept_something_there(int lastCall)
    {
        await using var cluster = await BareCluster.StartAsync(2);
        var local = new LocalGrains();
        foreach (var model in new[] { "large", "small" })
        {
            local.AddCoordinator(GrainId.Create("multi-head-attention", $"{model}/0"), model);
        }

        using var limit = new CancellationTokenSource();
        var (calls, full) = (0, new HeadClusterException(HeadClusterErrorKind.OutOfMemory, "model 'large' does not fit"));

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Drained(cluster, local, Drain).DrainAsync(limit.Token));

        Assert.Equal(lastCall, calls);
        Assert.Equal("model 'large' does not fit; and time ran out before all that can move had moved", error.Message);
        Assert.Same(full, error.InnerException);

        // The large model stays, and the small one moves for as long as there is time.
        IEnumerable<MoveReport> Drain(SiloAddress silo)
        {
            if (++calls == 1)
            {
                throw full;
            }

            if (calls == lastCall)
            {
                limit.Cancel();
                limit.Token.ThrowIfCancellationRequested();
            }

            yield return new MoveReport(Head: null, silo, silo, Bytes: 0, TimeSpan.Zero);
        }
    }

    // The first silo's, which has what is local and whose models have this scheduler.
    private static SiloDrain Drained(InProcessTestCluster cluster, LocalGrains local, Func<SiloAddress, IEnumerable<MoveReport>> drain)
    {
        var services = cluster.GetSiloServiceProvider(cluster.GetActiveSilos().First().SiloAddress);
        return new SiloDrain(
            local,
            Schedulers.Give(new Scheduler(drain)),
            services.GetRequiredService<ISiloStatusOracle>(),
            services.GetRequiredService<ILocalSiloDetails>());
    }

    private sealed class Scheduler(Func<SiloAddress, IEnumerable<MoveReport>> drain) : IHeadSchedulerGrain
    {
        public async IAsyncEnumerable<MoveReport> DrainAsync(SiloAddress silo, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var move in drain(silo))
            {
                await Task.Yield();
                yield return move;
            }
        }

        public Task<PlanPreview> PreviewAsync(PlanRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<MoveReport> ApplyAsync(PlanRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<MoveReport> MoveAsync(HeadId head, SiloAddress silo, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task TickAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>A grain factory that knows one scheduler.</summary>
    public class Schedulers : DispatchProxy
    {
        private IHeadSchedulerGrain? _scheduler;

        public static IGrainFactory Give(IHeadSchedulerGrain scheduler)
        {
            var factory = Create<IGrainFactory, Schedulers>();
            ((Schedulers)(object)factory)._scheduler = scheduler;
            return factory;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _scheduler;
    }
}
