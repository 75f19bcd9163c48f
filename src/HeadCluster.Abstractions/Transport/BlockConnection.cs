using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace HeadCluster.Transport;

/// <summary>
/// One TCP connection of Orleans that is read in large pieces. Orleans' own sockets take 4 KiB with each call of the system, which
/// for a layer's input of megabytes is hundreds of calls, and more time than the network itself takes.
/// </summary>
internal sealed class BlockConnection : ConnectionContext
{
    /// <summary>What one receive takes at most, in bytes: a dozen of them for a megabyte.</summary>
    private const int ReceiveBytes = 128 * 1024;

    /// <summary>
    /// Where messages are written, in bytes: room for the largest that are frequent, the first block of a layer's input and what goes with
    /// it. Of a message that outgrows the memory it was begun in, Orleans writes the rest elsewhere and copies it once more at the end.
    /// </summary>
    private const int MessageBytes = 4 * 1024 * 1024;

    /// <summary>Sending waits while more than this has not been taken by the network, in bytes.</summary>
    private const int MostUnsentBytes = 4 * 1024 * 1024;

    private readonly Socket _socket;
    private readonly IDuplexPipe _network;
    private readonly CancellationTokenSource _closed = new();
    private Task _running = Task.CompletedTask;

    private BlockConnection(Socket socket)
    {
        _socket = socket;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;

        // Whoever has bytes goes on with them itself: Orleans hands each message to another thread anyway.
        var received = new Pipe(new PipeOptions(
            SpareBlocks.Shared,
            readerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0,
            minimumSegmentSize: ReceiveBytes,
            useSynchronizationContext: false));
        var unsent = new Pipe(new PipeOptions(
            SpareBlocks.Shared,
            readerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: MostUnsentBytes,
            resumeWriterThreshold: MostUnsentBytes / 2,
            minimumSegmentSize: MessageBytes,
            useSynchronizationContext: false));
        Transport = new Duplex(received.Reader, unsent.Writer);
        _network = new Duplex(unsent.Reader, received.Writer);
    }

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("N");

    /// <inheritdoc/>
    public override Microsoft.AspNetCore.Http.Features.IFeatureCollection Features { get; } = new Microsoft.AspNetCore.Http.Features.FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <summary>Takes a connected socket over, also where it fails.</summary>
    /// <exception cref="SocketException">The other side has gone already.</exception>
    public static BlockConnection Start(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            var connection = new BlockConnection(socket);
            connection._running = connection.RunAsync();
            return connection;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        CloseSocket();
        _network.Input.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        await _running;
        _closed.Dispose();
    }

    private async Task RunAsync()
    {
        await Task.WhenAll(ReceiveAsync(), SendAsync());
        CloseSocket();
    }

    private async Task ReceiveAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                var count = await _socket.ReceiveAsync(_network.Output.GetMemory(), SocketFlags.None);
                if (count == 0)
                {
                    break;
                }

                _network.Output.Advance(count);
                if (await _network.Output.FlushAsync() is { IsCompleted: true } or { IsCanceled: true })
                {
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            error = new ConnectionResetException(exception.Message, exception);
        }

        await _network.Output.CompleteAsync(error);

        // Not on this thread: Orleans closes the connection from there, and waits for this very task.
        _ = Task.Run(_closed.Cancel);
    }

    private async Task SendAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                var read = await _network.Input.ReadAsync();
                if (read.IsCanceled)
                {
                    break;
                }

                foreach (var piece in read.Buffer)
                {
                    await SendAsync(piece);
                }

                _network.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            error = exception;
        }

        // What waits in ReceiveAsync ends with the socket.
        CloseSocket();
        await _network.Input.CompleteAsync(error);
        _network.Output.CancelPendingFlush();
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            piece = piece[await _socket.SendAsync(piece, SocketFlags.None)..];
        }
    }

    private void CloseSocket()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The other side was faster.
        }

        _socket.Dispose();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
