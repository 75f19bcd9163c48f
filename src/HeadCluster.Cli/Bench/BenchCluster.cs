using HeadCluster.Silo;

namespace HeadCluster.Cli.Bench;

/// <summary>A cluster of silo processes on this machine. The first in order has the coordinators and measures.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private readonly List<WorkerProcess> _silos = [];

    private BenchCluster(int[] siloPorts) => SiloPorts = siloPorts;

    /// <summary>Ports on which its silos talk to each other, in the order of the silos.</summary>
    public int[] SiloPorts { get; }

    /// <summary>The id of the process of the silo that was started last, unless another has the lead since.</summary>
    public int LastProcess => _silos[^1].Id;

    /// <summary>Starts the silos on ports that are free.</summary>
    /// <exception cref="BenchFailure">A silo ended, or was not ready in time.</exception>
    public static async Task<BenchCluster> StartAsync(
        string clusterId, int silos, int threads, Pinning pinning, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartAsync(clusterId, FreePorts.Find(2 * silos), threads, pinning, cancellationToken);
            }
            catch (PortTakenFailure) when (attempt < FreePorts.Attempts)
            {
            }
        }
    }

    // Ports of which the first half is for other silos, the second for clients, of which there are none.
    private static async Task<BenchCluster> StartAsync(
        string clusterId, int[] ports, int threads, Pinning pinning, CancellationToken cancellationToken)
    {
        var silos = ports.Length / 2;
        var cluster = new BenchCluster(ports[..silos]);
        try
        {
            // The first keeps the list of silos that the others enter themselves in.
            cluster._silos.Add(await StartAsync(0));
            var others = Enumerable.Range(1, silos - 1).Select(StartAsync).ToArray();
            try
            {
                await Task.WhenAll(others);
            }
            finally
            {
                // Those that did start are ended with the cluster if one did not.
                cluster._silos.AddRange(others.Where(other => other.IsCompletedSuccessfully).Select(other => other.Result));
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        Task<WorkerProcess> StartAsync(int silo) => WorkerProcess.StartAsync(
            new WorkerSettings(silo, threads, clusterId, ports[silo], ports[silos + silo], ports[0]), pinning, cancellationToken);
    }

    /// <summary>Has the first silo measure, with the heads spread evenly.</summary>
    /// <exception cref="BenchFailure">It could not be done.</exception>
    public Task<WorkerAnswer> AskAsync(WorkerTask task, BenchShape shape, Amount amount, CancellationToken cancellationToken) =>
        AskAsync(task, shape, shape.EvenPlaces(SiloPorts.Length), amount, cancellationToken);

    /// <summary>Has the first silo measure.</summary>
    /// <exception cref="BenchFailure">It could not be done.</exception>
    public Task<WorkerAnswer> AskAsync(WorkerTask task, BenchShape shape, int[] places, Amount amount, CancellationToken cancellationToken) =>
        _silos[0].AskAsync(new WorkerRequest(task, shape, SiloPorts, places, amount), cancellationToken);

    /// <summary>Makes another silo the first, and the first what that was.</summary>
    public void Lead(int silo)
    {
        (_silos[0], _silos[silo]) = (_silos[silo], _silos[0]);
        (SiloPorts[0], SiloPorts[silo]) = (SiloPorts[silo], SiloPorts[0]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
        {
            await silo.DisposeAsync();
        }
    }
}
