using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace HeadCluster.Transport;

/// <summary>Takes connections of silos and clients.</summary>
internal sealed class BlockListener : IConnectionListener
{
    private const int Backlog = 512;

    private static readonly TimeSpan DescriptorPause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;

    private BlockListener(Socket socket)
    {
        _socket = socket;
        EndPoint = socket.LocalEndPoint!;
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                return BlockConnection.Start(await _socket.AcceptAsync(cancellationToken));
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.TooManyOpenSockets)
            {
                // It would fail again at once, for as long as the process has no descriptor left.
                await Task.Delay(DescriptorPause, TimeProvider.System, cancellationToken);
            }
            catch (SocketException)
            {
                // Reset before it was accepted.
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Listens at an address.</summary>
    internal sealed class Factory : IConnectionListenerFactory
    {
        /// <inheritdoc/>
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(endpoint);
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                // A silo that is started again takes the port of the one that died.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                socket.Bind(endpoint);
                socket.Listen(Backlog);
                return ValueTask.FromResult<IConnectionListener>(new BlockListener(socket));
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                socket.Dispose();
                throw new AddressInUseException(exception.Message, exception);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
