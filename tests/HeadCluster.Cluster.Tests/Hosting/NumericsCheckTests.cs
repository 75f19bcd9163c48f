using HeadCluster.Kernels;
using Microsoft.Extensions.DependencyInjection;

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
        Assert.Contains("its fingerprint is ebe753f5…, this silo's 01234567…", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Single(cluster.GetActiveSilos());

        fingerprint = null;
        await cluster.StartSilosAsync(1, TestContext.Current.CancellationToken);
        Assert.Equal(2, cluster.GetActiveSilos().Count());

        // In order they would stop only after a while: the silo that failed lives on in this process and does not answer.
        foreach (var silo in cluster.GetActiveSilos().ToArray())
        {
            await cluster.KillSiloAsync(silo, TestContext.Current.CancellationToken);
        }
    }
}
