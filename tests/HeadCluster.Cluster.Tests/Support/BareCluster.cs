using HeadCluster.Hosting;
using Orleans.TestingHost;

namespace HeadCluster.Tests;

/// <summary>In-memory silos of which a test wants to see or change what <c>HeadClusterTestCluster</c> does not show.</summary>
internal static class BareCluster
{
    /// <summary>Starts silos whose heads do not move by themselves.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="configure">What else each silo has.</param>
    public static async Task<InProcessTestCluster> StartAsync(int silos, Action<ISiloBuilder>? configure = null)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddHeadCluster(options => options.Scheduling.Automatic = false);
            configure?.Invoke(silo);
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        await cluster.WaitForLivenessToStabilizeAsync();
        await cluster.WaitForClusterManifestToStabilizeAsync();
        return cluster;
    }
}
