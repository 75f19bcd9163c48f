using System.Net;
using System.Net.Sockets;

namespace HeadCluster.Silo;

/// <summary>
/// Looks at a silo's ports and at the cluster it joins before it starts, since Orleans tells of a taken port and of an absent
/// primary silo, Redis or database by stack traces and by waiting.
/// </summary>
internal static class SiloPorts
{
    // Whoever starts all silos of a machine at once is not to wait for the first: it rehearses before it listens, and then starts.
    private static readonly TimeSpan PrimaryTimeout = Rehearsal.Limit + TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Checks that the silo can listen, and waits for what keeps the list of silos unless that is the silo itself.</summary>
    /// <exception cref="HeadClusterException">A port is in use, or what keeps the list did not answer in time.</exception>
    public static async Task CheckAsync(SiloHostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        CheckFree(options.Listening, options.SiloPort, "--silo-port");
        CheckFree(options.Listening, options.GatewayPort, "--gateway-port");
        if (options.HealthPort is { } port)
        {
            CheckFree(options.Listening, port, "--health-port");
        }

        if (options.PagePort is { } page)
        {
            CheckFree(options.PageListening, page, "--page-port");
        }

        if (options.Clustering != SiloClustering.Localhost)
        {
            await SiloList.WaitAsync(options, time, cancellationToken);
        }
        else if (!options.IsPrimary)
        {
            await WaitForPrimaryAsync(options, time, cancellationToken);
        }
    }

    private static void CheckFree(IPAddress address, int port, string option)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
        }
        catch (SocketException exception)
        {
            throw new HeadClusterException(
                HeadClusterErrorKind.Unavailable,
                $"port {port} cannot be listened on ({exception.Message}); choose another with {option}",
                exception);
        }
    }

    private static async Task WaitForPrimaryAsync(SiloHostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var start = time.GetTimestamp(); ;)
        {
            try
            {
                using var connection = new TcpClient();
                await connection.ConnectAsync(IPAddress.Loopback, options.PrimaryPort, cancellationToken);
                return;
            }
            catch (SocketException exception) when (time.GetElapsedTime(start) >= PrimaryTimeout)
            {
                throw new HeadClusterException(
                    HeadClusterErrorKind.Unavailable,
                    $"no primary silo answered on port {options.PrimaryPort} in {PrimaryTimeout.TotalSeconds:0} seconds; start it, or make this one the primary with --primary-port {options.SiloPort}",
                    exception);
            }
            catch (SocketException)
            {
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }
}
