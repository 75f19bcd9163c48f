using System.Globalization;
using HeadCluster.Cli.Clusters;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Soak;

/// <summary>
/// What serving costs does not grow with what was served. The long form is
/// <c>HEADCLUSTER_SOAK_REQUESTS=10000 dotnet test -c Release</c>.
/// </summary>
/// <remarks>By themselves, since they measure this whole process too.</remarks>
[Collection(nameof(SoakTests))]
[CollectionDefinition(nameof(SoakTests), DisableParallelization = true)]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int WarmUpHundreds = 5;

    private const double MostGrowth = 1.1;

    private static readonly int Hundreds =
        int.Parse(Environment.GetEnvironmentVariable("HEADCLUSTER_SOAK_REQUESTS") ?? "900", CultureInfo.InvariantCulture) / 100;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Working_set_of_silos_is_where_it_was_after_the_first_requests()
    {
        await using var first = await SiloProcess.StartAsync(primary: null, SiloProcess.Unrehearsed);
        await using var second = await SiloProcess.StartAsync(first, SiloProcess.Unrehearsed);
        await using var client = await HeadClusterClient.ConnectAsync(first.Gateway, Stop);
        var requests = new MixedRequests();
        await requests.SendEachAsync(client, Stop);
        await requests.SendAsync(client, WarmUpHundreds, Stop);
        long[] before = [WorkingSet(first), WorkingSet(second)];

        for (var sent = WarmUpHundreds; sent < Hundreds;)
        {
            var next = Math.Min(5, Hundreds - sent);
            await requests.SendAsync(client, next, Stop);
            sent += next;
            output.WriteLine($"{100 * sent} requests: {WorkingSet(first) / 1e6:0} and {WorkingSet(second) / 1e6:0} MB, of {before[0] / 1e6:0} and {before[1] / 1e6:0} MB after {100 * WarmUpHundreds}; this process {Environment.WorkingSet / 1e6:0} MB");
        }

        Assert.InRange(WorkingSet(first), 0, before[0] * MostGrowth);
        Assert.InRange(WorkingSet(second), 0, before[1] * MostGrowth);
    }

    [Fact]
    public async Task Allocation_per_request_and_retained_memory_are_flat_after_warm_up()
    {
        await using var cluster = await EmbeddedCluster.StartAsync("soak", ["first", "second"], settings: [], Stop);
        var requests = new MixedRequests();
        await requests.SendEachAsync(cluster.Client, Stop);
        await requests.SendAsync(cluster.Client, WarmUpHundreds, Stop);
        var (earlyBytes, earlyRetained) = await MeasureAsync();

        await requests.SendAsync(cluster.Client, Math.Max(1, Hundreds - WarmUpHundreds), Stop);
        var (lateBytes, lateRetained) = await MeasureAsync();

        output.WriteLine($"allocated per request: {earlyBytes:N0} bytes early, {lateBytes:N0} late; retained {earlyRetained / 1e6:0.0} MB early, {lateRetained / 1e6:0.0} MB late");
        Assert.InRange(lateBytes, 0, earlyBytes * 11 / 10);
        Assert.InRange(lateRetained, 0, earlyRetained * MostGrowth);

        async Task<(long AllocatedPerRequest, long Retained)> MeasureAsync()
        {
            // So many that a single array of the largest requests, fresh because more of them met than before, weighs little.
            const int Measured = 8;
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await requests.SendAsync(cluster.Client, Measured, Stop);
            var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
            return (allocated / (100 * Measured), GC.GetTotalMemory(forceFullCollection: true));
        }
    }

    private static long WorkingSet(SiloProcess silo)
    {
        silo.Process.Refresh();
        return silo.Process.WorkingSet64;
    }
}
