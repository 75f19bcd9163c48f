using HeadCluster.Grains;
using HeadCluster.Kernels;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace HeadCluster.Tests.Loading;

/// <summary>Weights that are there when nobody waits for them any more.</summary>
public sealed class LateLoadTests
{
    private const string Model = "random:gpt2-small?layers=1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Weights_of_an_activation_that_was_given_up_are_let_go_of_and_the_head_is_not_taken_for_active()
    {
        using var pool = new HeldPool();
        await using var cluster = await BareCluster.StartAsync(1, silo =>
        {
            silo.Services.AddSingleton<ComputePool>(pool);
            silo.Configure<GrainCollectionOptions>(options => options.ActivationTimeout = TimeSpan.FromMilliseconds(100));
        });
        var services = cluster.GetSiloServiceProvider();
        var memory = services.GetRequiredService<WeightMemory>();
        var free = memory.AvailableTo("");
        var head = cluster.Client.GetGrain<IAttentionHeadGrain>(new HeadId(Model, 0, 0).ToString());

        await Assert.ThrowsAnyAsync<Exception>(() => head.LocateAsync(Stop));
        Assert.True(memory.AvailableTo("") < free);
        pool.Release();
        await pool.EndedAsync(Stop);

        await head.LocateAsync(Stop);
        Assert.Single(services.GetRequiredService<LocalGrains>().Heads);
        Assert.Equal(free - WeightBytes(services), memory.AvailableTo(""));
    }

    private static long WeightBytes(IServiceProvider services) =>
        LoadedHead.Plan(services.GetRequiredService<ModelCatalog>(), new HeadId(Model, 0, 0)).Bytes;

    /// <summary>Work waits until it is released, whatever its token says: as a read that a disk does not answer.</summary>
    private sealed class HeldPool() : ComputePool(threads: 1)
    {
        private readonly ManualResetEventSlim _released = new();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _released.Set();

        public Task EndedAsync(CancellationToken cancellationToken) => _ended.Task.WaitAsync(cancellationToken);

        protected override void Execute(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
        {
            _released.Wait(CancellationToken.None);
            base.Execute(work, part, cancellationToken);
            _ended.TrySetResult();
        }

        protected override void Dispose(bool disposing)
        {
            _released.Set();
            base.Dispose(disposing);
        }
    }
}
