using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace HeadCluster.Transport;

/// <summary>Opens connections to silos and gateways.</summary>
internal sealed class BlockConnector : IConnectionFactory
{
    /// <inheritdoc/>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return BlockConnection.Start(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
