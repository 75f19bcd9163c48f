namespace HeadCluster.Client;

/// <summary>What a request may take, however often and in however many parts it is sent, by the client's clock.</summary>
internal readonly struct TimeBudget(TimeSpan? limit, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>All of it; null for no limit.</summary>
    public TimeSpan? Limit => limit;

    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    /// <summary>What is left of it, to be sent with the request; null for no limit.</summary>
    /// <exception cref="HeadClusterException">Nothing is left.</exception>
    public TimeSpan? Remaining
    {
        get
        {
            var left = limit - Elapsed;
            return left <= TimeSpan.Zero ? throw Failure.TimeLimitPassed(this) : left;
        }
    }
}
