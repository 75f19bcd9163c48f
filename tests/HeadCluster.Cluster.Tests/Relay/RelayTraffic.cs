using HeadCluster.Grains;

namespace HeadCluster.Tests.Relay;

/// <summary>Counts the tensors that the relays of a cluster send each other, as calls have them.</summary>
internal sealed class RelayTraffic
{
    private long _bytes;

    /// <summary>All elements so far, in bytes as they travel.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>A filter of outgoing calls.</summary>
    public async Task CountAsync(IOutgoingGrainCallContext call)
    {
        if (call.InterfaceMethod.DeclaringType != typeof(IHeadRelay))
        {
            await call.Invoke();
            return;
        }

        for (var argument = 0; argument < call.Request.GetArgumentCount(); argument++)
        {
            Add(call.Request.GetArgument(argument));
        }

        await call.Invoke();
        if (call.MethodName != nameof(IHeadRelay.BringAsync))
        {
            Add(call.Result);
        }
    }

    private void Add(object? message)
    {
        var tensor = message switch
        {
            RelayRequest request => request.FirstRows,
            RelayReply reply => reply.Output,
            _ => message as FloatTensor,
        };
        Interlocked.Add(ref _bytes, tensor is null ? 0 : (long)tensor.Length * tensor.BytesPerElement);
    }
}
