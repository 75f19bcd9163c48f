namespace HeadCluster.Client;

/// <summary>What one message may hold. Orleans answers a larger one by closing the connection, so it is refused before it is sent.</summary>
internal static class WireLimits
{
    /// <summary>The largest body of a message, in bytes.</summary>
    public const int MaxMessageBodyBytes = 256 * 1024 * 1024;

    /// <summary>Left for what a message holds besides the tensor.</summary>
    private const int Envelope = 1024 * 1024;

    public static void Check(FloatTensor input)
    {
        var bytes = (long)input.Length * sizeof(float);
        if (bytes > MaxMessageBodyBytes - Envelope)
        {
            throw HeadClusterException.InvalidInput(
                $"the input {input} takes {bytes} bytes; one request holds at most {MaxMessageBodyBytes - Envelope}: send fewer rows");
        }
    }
}
