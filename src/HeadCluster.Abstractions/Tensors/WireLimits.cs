namespace HeadCluster;

/// <summary>
/// What one message may hold. Orleans answers a larger one by closing the connection, so silos and clients set the same limit
/// and a larger request is refused before it is sent.
/// </summary>
public static class WireLimits
{
    /// <summary>The largest body of a message, in bytes.</summary>
    public const int MaxMessageBodyBytes = 256 * 1024 * 1024;

    // Left for what a message holds besides the tensor.
    private const int EnvelopeBytes = 1024 * 1024;

    /// <summary>Checks that a tensor fits into one message.</summary>
    /// <exception cref="HeadClusterException">It does not.</exception>
    public static void Check(FloatTensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var bytes = (long)input.Length * sizeof(float);
        if (bytes > MaxMessageBodyBytes - EnvelopeBytes)
        {
            throw HeadClusterException.InvalidInput(
                $"the input {input} takes {bytes} bytes; one request holds at most {MaxMessageBodyBytes - EnvelopeBytes}: send fewer rows");
        }
    }
}
