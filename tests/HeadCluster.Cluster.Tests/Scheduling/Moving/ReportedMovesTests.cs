using HeadCluster.Client;
using HeadCluster.Grains;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;

namespace HeadCluster.Tests.Scheduling;

/// <summary>Who has heads moved hears of each as it has moved, and may stop listening.</summary>
public sealed class ReportedMovesTests
{
    private const string Model = "random:nano";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // Where they are told together, it would not end.
    [Fact(Timeout = 60_000)]
    public async Task Each_move_of_a_drain_is_told_while_the_next_is_still_on_its_way()
    {
        await using var moving = await Moving.StartAsync();
        await using var moves = moving.Client.Scheduler.DrainAsync(moving.Leaving, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.True(await moves.MoveNextAsync());
        var first = moves.Current;
        Assert.Equal((moving.Held.First, 1), (first.Head, first.Done));
        var next = moves.MoveNextAsync();
        Assert.False(next.IsCompleted);
        moving.Held.Release();

        var reports = new List<MoveReport> { first };
        for (var more = await next; more; more = await moves.MoveNextAsync())
        {
            reports.Add(moves.Current);
        }

        Assert.Equal(0, moving.Heads);
        Assert.Equal(Enumerable.Range(1, first.Total), reports.Select(report => report.Done));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Moves_of_which_nobody_hears_the_rest_end_and_others_are_made(bool cancelled)
    {
        await using var moving = await Moving.StartAsync();
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var moves = moving.Client.Scheduler.DrainAsync(moving.Leaving, listening.Token).GetAsyncEnumerator(listening.Token);
        Assert.True(await moves.MoveNextAsync());
        if (cancelled)
        {
            var next = moves.MoveNextAsync().AsTask();
            await listening.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        }

        await moves.DisposeAsync();

        // Where the held one had to end first, this would not end.
        var coming = moving.Client.Scheduler.MoveAsync(moving.Held.First!.Value, moving.Leaving, TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<HeadClusterException>(() => coming);
        Assert.Contains("is draining and takes no heads", refused.Message, StringComparison.Ordinal);

        moving.Held.Release();
        await moving.Client.Scheduler.DrainAsync(moving.Leaving, TestContext.Current.CancellationToken).LastOrDefaultAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, moving.Heads);
    }

    /// <summary>Two silos with heads of a model, of which all but one are held on their way.</summary>
    private sealed class Moving : IAsyncDisposable
    {
        private readonly InProcessTestCluster _cluster;

        private Moving(InProcessTestCluster cluster, HeldHeads held)
        {
            _cluster = cluster;
            Held = held;
            Client = new HeadClusterClient(cluster.Client);
            Leaving = cluster.GetActiveSilos().Last().SiloAddress;
        }

        public HeldHeads Held { get; }

        public HeadClusterClient Client { get; }

        public SiloAddress Leaving { get; }

        /// <summary>How many are left.</summary>
        public int Heads => _cluster.GetSiloServiceProvider(Leaving).GetRequiredService<LocalGrains>().HeadsOf(Model).Length;

        public static async Task<Moving> StartAsync()
        {
            var held = new HeldHeads();
            var moving = new Moving(await BareCluster.StartAsync(2, silo => silo.AddIncomingGrainCallFilter(held).Services.AddSingleton(NeverLate)), held);
            for (var layer = 0; layer < 3; layer++)
            {
                await moving.Client.AttendAsync(Model, layer, Matrices.Random(4, 48), Stop);
            }

            Assert.InRange(moving.Heads, 2, 9);
            held.Begin();
            return moving;
        }

        // On a clock that stands still no hand-over is given up.
        private static HeadMover NeverLate(IServiceProvider services) => new(
            services.GetRequiredService<SchedulingAgentClient>(), services.GetRequiredService<IGrainFactory>(), new FakeTimeProvider());

        public async ValueTask DisposeAsync()
        {
            Held.Release();
            await Client.DisposeAsync();
            await _cluster.DisposeAsync();
        }
    }

    /// <summary>Lets the first head pass that is asked where it has come, and none after it.</summary>
    private sealed class HeldHeads : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _lock = new();
        private bool _holds;

        public HeadId? First { get; private set; }

        public void Begin() => _holds = true;

        public void Release() => _released.TrySetResult();

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (_holds && context.MethodName == nameof(IAttentionHeadGrain.LocateAsync) && HeadId.TryParse(context.TargetId.Key.ToString()!, out var head) && !Passes(head))
            {
                await _released.Task;
            }

            await context.Invoke();
        }

        private bool Passes(HeadId head)
        {
            lock (_lock)
            {
                return (First ??= head) == head;
            }
        }
    }
}
