using System.Buffers;
using System.Net;
using HeadCluster.Grains;
using HeadCluster.Transport;
using Microsoft.AspNetCore.Connections;

namespace HeadCluster.Tests.Transport;

/// <summary>Two ends of a real socket.</summary>
public sealed class BlockConnectionTests : IAsyncLifetime
{
    // What Orleans asks for before it knows how long a message is.
    private const int MessageSizeHint = 4096;

    private IConnectionListener _listener = null!;
    private ConnectionContext _sender = null!;
    private ConnectionContext _receiver = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener = await new BlockListener.Factory().BindAsync(new IPEndPoint(IPAddress.Loopback, 0), Stop);
        var accepting = _listener.AcceptAsync(Stop);
        _sender = await new BlockConnector().ConnectAsync(_listener.EndPoint, Stop);
        _receiver = (await accepting)!;
    }

    public async ValueTask DisposeAsync()
    {
        await _sender.DisposeAsync();
        await _receiver.DisposeAsync();
        await _listener.DisposeAsync();
    }

    [Fact]
    public void A_message_with_the_first_block_of_an_input_has_room_where_it_is_begun() =>
        Assert.InRange(_sender.Transport.Output.GetMemory(MessageSizeHint).Length, TransferBlocks.FirstBlockBytes + MessageSizeHint, int.MaxValue);

    [Fact]
    public async Task What_is_written_arrives_as_it_is_and_in_its_order_however_much_it_is()
    {
        var sent = new byte[(3 * TransferBlocks.FirstBlockBytes) + 1];
        new Random(1).NextBytes(sent);
        var sending = SendAsync();
        var received = await _receiver.Transport.Input.ReadAtLeastAsync(sent.Length, Stop);
        Assert.True(received.Buffer.ToArray().AsSpan().SequenceEqual(sent));
        _receiver.Transport.Input.AdvanceTo(received.Buffer.End);
        await sending;

        async Task SendAsync()
        {
            foreach (var part in sent.Chunk(TransferBlocks.FirstBlockBytes))
            {
                await _sender.Transport.Output.WriteAsync(part, Stop);
            }
        }
    }
}
