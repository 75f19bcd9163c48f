namespace HeadCluster;

/// <summary>
/// What one message may hold. Orleans answers a larger one by closing the connection, so silos and clients set the same limit
/// and a larger request is refused before it is sent.
/// </summary>
public static class WireLimits
{
    /// <summary>The largest body of a message, in bytes.</summary>
    public const int MaxMessageBodyBytes = 256 * 1024 * 1024;

    /// <summary>The most that a message's tensors and arrays may take, in bytes; the rest is for what else it holds.</summary>
    public const int MaxPayloadBytes = MaxMessageBodyBytes - (1024 * 1024);

    /// <summary>The most that one integer of an array takes in a message, in bytes: the head of its field and five of digits.</summary>
    public const int IntegerBytes = 6;

    /// <summary>Checks that a layer's or head's input fits into one message with the lengths of its sequences.</summary>
    /// <exception cref="HeadClusterException">It does not.</exception>
    public static void Check(FloatTensor input, int[]? sequenceLengths = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckInput(input.Length, input.Shape, sequenceLengths);
    }

    /// <summary>Checks that a layer's or head's input of a shape fits into one message with the lengths of its sequences.</summary>
    /// <exception cref="HeadClusterException">It does not.</exception>
    public static void Check(int rows, int columns, int[]? sequenceLengths = null) =>
        CheckInput((long)rows * columns, [rows, columns], sequenceLengths);

    /// <summary>Checks that tokens fit into one message with the lengths of their sequences.</summary>
    /// <exception cref="HeadClusterException">They do not.</exception>
    public static void Check(int[]? tokens, int[]? sequenceLengths = null)
    {
        var bytes = IntegerBytes * ((long)(tokens?.Length ?? 0) + (sequenceLengths?.Length ?? 0));
        if (bytes > MaxPayloadBytes)
        {
            throw HeadClusterException.InvalidInput(
                $"{tokens?.Length} tokens take up to {bytes} bytes; one request holds at most {MaxPayloadBytes}: send fewer sequences");
        }
    }

    private static void CheckInput(long elements, ReadOnlySpan<int> shape, int[]? sequenceLengths)
    {
        var bytes = (elements * sizeof(float)) + ((long)IntegerBytes * (sequenceLengths?.Length ?? 0));
        if (bytes > MaxPayloadBytes)
        {
            throw HeadClusterException.InvalidInput(
                $"the input float32{FloatTensor.Describe(shape)} takes {bytes} bytes; one request holds at most {MaxPayloadBytes}: send fewer rows");
        }
    }
}
