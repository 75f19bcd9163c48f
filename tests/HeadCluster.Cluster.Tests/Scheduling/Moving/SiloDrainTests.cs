using System.Reflection;
using System.Runtime.CompilerServices;
using HeadCluster.Grains;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Tests.Scheduling;

public sealed class SiloDrainTests
{
    private const string Model = "random:nano";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_while_a_silo_drains_moves_too()
    {
        await using var cluster = await BareCluster.StartAsync(2);
        var services = cluster.GetSiloServiceProvider(cluster.GetActiveSilos().First().SiloAddress);
        var (local, coming) = (new LocalGrains(), 2);
        Come();

        await new SiloDrain(
            local,
            Schedulers.Give(new Scheduler(Drain)),
            services.GetRequiredService<ISiloStatusOracle>(),
            services.GetRequiredService<ILocalSiloDetails>()).DrainAsync(Stop);

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
