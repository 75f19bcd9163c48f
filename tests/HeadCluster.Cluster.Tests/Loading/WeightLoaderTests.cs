using HeadCluster.Grains;
using HeadCluster.Kernels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Loading;

public sealed class WeightLoaderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Weights_that_take_longer_to_prepare_than_their_caller_waits_are_there_for_the_next()
    {
        await using var loading = await Loading.StartAsync();
        using var impatient = new CancellationTokenSource();
        var first = loading.Loader.PrepareAsync(loading.Weights, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var second = loading.Loader.PrepareAsync(loading.Weights, Stop);
        Assert.False(second.IsCompleted);
        loading.Release();
        await second;

        Assert.Equal(1, loading.Loads);
        Assert.Equal(loading.Weights.Bytes, loading.Reserved);
    }

    [Fact]
    public async Task An_activation_takes_the_weights_that_are_being_prepared()
    {
        await using var loading = await Loading.StartAsync();
        var preparing = loading.Loader.PrepareAsync(loading.Weights, Stop);
        var activating = loading.Loader.LoadAsync(loading.Weights, Stop);
        Assert.False(activating.IsCompleted);
        loading.Release();

        var (weights, reserved) = await activating;
        await preparing;

        Assert.Equal("weights", weights);
        Assert.Equal(1, loading.Loads);
        reserved.Dispose();
        Assert.Equal(0, loading.Reserved);

        // They are the activation's, not to be let go of later.
        loading.Clock.Advance(TimeSpan.FromMinutes(2));
        loading.Loader.Discard(loading.Weights.Owner);
        Assert.Equal(0, loading.Reserved);
    }

    [Fact]
    public async Task A_preparation_waits_for_the_activation_that_is_loading_the_same_weights()
    {
        await using var loading = await Loading.StartAsync();
        var activating = loading.Loader.LoadAsync(loading.Weights, Stop);
        var preparing = loading.Loader.PrepareAsync(loading.Weights, Stop);
        Assert.False(preparing.IsCompleted);
        Assert.Equal(loading.Weights.Bytes, loading.Reserved);
        loading.Release();
        var (_, reserved) = await activating;
        await preparing;
        Assert.Equal(1, loading.Loads);

        // They are the activation's, not to be let go of with the preparation; whoever prepares later prepares others.
        loading.Loader.Discard(loading.Weights.Owner);
        Assert.Equal(loading.Weights.Bytes, loading.Reserved);
        await loading.Loader.PrepareAsync(loading.Weights, Stop);
        Assert.Equal((2, 2 * loading.Weights.Bytes), (loading.Loads, loading.Reserved));
        reserved.Dispose();
    }

    [Fact]
    public async Task A_preparation_begins_anew_where_the_activation_that_it_waits_for_is_given_up()
    {
        await using var loading = await Loading.StartAsync();
        loading.OccupyThreads();
        using var givenUp = new CancellationTokenSource();
        var activating = loading.Loader.LoadAsync(loading.Weights, givenUp.Token);
        var preparing = loading.Loader.PrepareAsync(loading.Weights, Stop);
        Assert.Equal(loading.Weights.Bytes, loading.Reserved);

        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => activating);
        loading.Release();
        await preparing;

        Assert.Equal((1, loading.Weights.Bytes), (loading.Loads, loading.Reserved));
    }

    // Where they are not, it would not end.
    [Fact(Timeout = 60_000)]
    public async Task Weights_that_are_discarded_while_they_are_prepared_are_let_go_of_when_they_are_there()
    {
        await using var loading = await Loading.StartAsync();
        var preparing = loading.Loader.PrepareAsync(loading.Weights, Stop);
        loading.Loader.Discard(loading.Weights.Owner);
        loading.Release();
        await preparing;

        await loading.WaitForAsync(reserved: 0, TestContext.Current.CancellationToken);
    }

    // Where they are not, it would not end.
    [Fact(Timeout = 60_000)]
    public async Task Weights_that_nobody_comes_for_are_let_go_of_after_a_minute()
    {
        await using var loading = await Loading.StartAsync();
        loading.Release();
        await loading.Loader.PrepareAsync(loading.Weights, Stop);

        loading.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(loading.Weights.Bytes, loading.Reserved);
        loading.Clock.Advance(TimeSpan.FromSeconds(1));
        await loading.WaitForAsync(reserved: 0, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_could_not_be_prepared_is_loaded_anew()
    {
        await using var loading = await Loading.StartAsync();
        loading.Failure = new InvalidOperationException("a defect");
        loading.Release();
        await Assert.ThrowsAsync<InvalidOperationException>(() => loading.Loader.PrepareAsync(loading.Weights, Stop));
        Assert.Equal(0, loading.Reserved);

        loading.Failure = null;
        await loading.Loader.LoadAsync(loading.Weights, Stop);
        Assert.Equal((2, loading.Weights.Bytes), (loading.Loads, loading.Reserved));
    }

    /// <summary>A loader on a clock of its own, and weights that are loaded when a test says so.</summary>
    private sealed class Loading : IAsyncDisposable
    {
        private readonly ManualResetEventSlim _released = new();
        private readonly IAsyncDisposable _cluster;
        private readonly WeightMemory _memory;
        private readonly ComputePool _compute;
        private readonly long _free;
        private int _loads;

        private Loading(IAsyncDisposable cluster, IServiceProvider services)
        {
            _cluster = cluster;
            _memory = services.GetRequiredService<WeightMemory>();
            _free = _memory.AvailableTo("none");
            _compute = services.GetRequiredService<ComputePool>();
            Loader = new WeightLoader(_memory, _compute, Clock);
            Weights = new WeightLoad<string>("model", "head model/0/0", Bytes: 1000, () =>
            {
                Interlocked.Increment(ref _loads);
                _released.Wait(Stop);
                return Failure is null ? "weights" : throw Failure;
            });
        }

        public FakeTimeProvider Clock { get; } = new();

        public WeightLoader Loader { get; }

        public WeightLoad<string> Weights { get; }

        public Exception? Failure { get; set; }

        public int Loads => _loads;

        public long Reserved => _free - _memory.AvailableTo("none");

        public static async Task<Loading> StartAsync()
        {
            var cluster = await BareCluster.StartAsync(1);
            return new Loading(cluster, cluster.GetSiloServiceProvider());
        }

        public void Release() => _released.Set();

        /// <summary>Keeps all compute threads busy until weights may be loaded.</summary>
        public void OccupyThreads()
        {
            for (var thread = 0; thread < _compute.ThreadCount; thread++)
            {
                _ = _compute.RunAsync(ComputePool.InlineOperations, _ => _released.Wait(Stop), cancellationToken: Stop);
            }
        }

        // It is given back by whoever ends last.
        public async Task WaitForAsync(long reserved, CancellationToken cancellationToken)
        {
            while (Reserved != reserved)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        public async ValueTask DisposeAsync()
        {
            _released.Set();
            await _cluster.DisposeAsync();
            _released.Dispose();
        }
    }
}
