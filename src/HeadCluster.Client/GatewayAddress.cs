using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace HeadCluster.Client;

/// <summary>Where a silo takes clients: <c>host:port</c>, the host by name, IPv4 or bracketed IPv6.</summary>
internal readonly record struct GatewayAddress(string Host, int Port)
{
    public static GatewayAddress Parse(string text) => TryParse(text, out var address)
        ? address
        : throw new FormatException($"'{text}' is not host:port");

    public static bool TryParse(string text, out GatewayAddress address)
    {
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon].Trim('[', ']') : "";
        address = default;
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > IPEndPoint.MaxPort)
        {
            return false;
        }

        address = new GatewayAddress(host, port);
        return true;
    }

    /// <summary>The addresses of the host, IPv4 first since that is what silos listen on unless told otherwise.</summary>
    public IEnumerable<IPEndPoint> Resolve()
    {
        var port = Port;
        var addresses = Find(Host);
        var family = addresses.Any(address => address.AddressFamily == AddressFamily.InterNetwork)
            ? AddressFamily.InterNetwork
            : AddressFamily.InterNetworkV6;
        return addresses.Where(address => address.AddressFamily == family).Select(address => new IPEndPoint(address, port));
    }

    private static IPAddress[] Find(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host);
        }
        catch (SocketException exception)
        {
            throw new HeadClusterException(
                HeadClusterErrorKind.Unavailable,
                $"the gateway's host '{host}' has no address ({exception.Message}); name the gateway of a running silo",
                exception);
        }
    }
}
