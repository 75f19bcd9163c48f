using System.Net;
using System.Net.Sockets;

namespace HeadCluster.Cli.Clusters;

/// <summary>Ports that nobody listens on.</summary>
internal static class FreePorts
{
    /// <summary>Takes so many different ports that the system finds free, and lets them go again.</summary>
    public static int[] Find(int count)
    {
        var listeners = new TcpListener[count];
        for (var i = 0; i < count; i++)
        {
            // All are held until the last is found, or the system may give the same one twice.
            listeners[i] = new TcpListener(IPAddress.Loopback, 0);
            listeners[i].Start();
        }

        var ports = Array.ConvertAll(listeners, listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        foreach (var listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }
}
