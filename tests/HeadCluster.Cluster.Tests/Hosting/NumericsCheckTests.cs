using HeadCluster.Kernels;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace HeadCluster.Tests.Hosting;

/// <summary>Silos of two numerics contracts do not serve in one cluster.</summary>
public sealed class NumericsCheckTests
{
    [Fact]
    public async Task A_silo_whose_kernels_have_other_bits_does_not_start_and_one_with_the_same_does()
    {
        NumericsFingerprint? fingerprint = null;
        await using var cluster = await BareCluster.StartAsync(1, silo =>
        {
            if (fingerprint is not null)
            {
                silo.Services.AddSingleton(Task.FromResult(fingerprint));
            }
        });

        fingerprint = new NumericsFingerprint("0123456789abcdef");
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => cluster.StartSilosAsync(1, TestContext.Current.CancellationToken));
        Assert.Contains("its fingerprint is 2-ebe753f5…, this silo's 2-01234567…", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Single(cluster.GetActiveSilos());

        fingerprint = null;
        await cluster.StartSilosAsync(1, TestContext.Current.CancellationToken);
        Assert.Equal(2, cluster.GetActiveSilos().Count());

        await KillAsync(cluster);
    }

    [Fact]
    public async Task Of_silos_with_other_bits_that_join_at_the_same_time_the_later_does_not_start()
    {
        var stop = TestContext.Current.CancellationToken;
        var (first, fingerprint) = (default(HeldJoin), default(NumericsFingerprint));
        await using var cluster = await BareCluster.StartAsync(1, silo =>
        {
            if (first is not null)
            {
                silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(first);
            }

            if (fingerprint is not null)
            {
                silo.Services.AddSingleton(Task.FromResult(fingerprint));
            }
        });
        await cluster.StopSiloAsync(cluster.GetActiveSilos().Single(), stop);

        first = new HeldJoin();
        var starting = cluster.StartSilosAsync(1, stop);
        await first.Joining.WaitAsync(stop);
        (var held, first, fingerprint) = (first, null, new NumericsFingerprint("0123456789abcdef"));
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => cluster.StartSilosAsync(1, stop));
        Assert.Contains("its fingerprint is 2-ebe753f5…, this silo's 2-01234567…", error.Message, StringComparison.Ordinal);

        held.GoOn();
        await starting;
        Assert.Single(cluster.GetActiveSilos());
        await KillAsync(cluster);
    }

    // In order they would stop only after a while: the silo that failed lives on in this process and does not answer.
    private static async Task KillAsync(InProcessTestCluster cluster)
    {
        foreach (var silo in cluster.GetActiveSilos().ToArray())
        {
            await cluster.KillSiloAsync(silo, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Keeps a silo in the state in which it is listed as joining and looks at the others.</summary>
    private sealed class HeldJoin : ILifecycleParticipant<ISiloLifecycle>
    {
        private readonly TaskCompletionSource _joining = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _mayGoOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Joining => _joining.Task;

        public void GoOn() => _mayGoOn.SetResult();

        public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe<HeldJoin>(ServiceLifecycleStage.BecomeActive - 1, cancellationToken =>
        {
            _joining.SetResult();
            return _mayGoOn.Task.WaitAsync(cancellationToken);
        });
    }
}
