using System.Net;
using System.Net.Sockets;

namespace HeadCluster.Silo;

/// <summary>
/// Ports that nobody listens on. One may be taken by another program before it is used, so that whoever finds that out tries
/// others, a few times.
/// </summary>
internal static class FreePorts
{
    /// <summary>How often others are tried.</summary>
    public const int Attempts = 3;

    /// <summary>Whether an exception, or one that caused it, says that a port is not free any more.</summary>
    public static bool IsTaken(Exception exception) =>
        exception is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
        || (exception.InnerException is { } cause && IsTaken(cause));

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
