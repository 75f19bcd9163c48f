namespace HeadCluster.Scheduling;

/// <summary>A link, what messages said of it, and what requests found since. Thread-safe.</summary>
internal sealed class UsedLink(MeasuredLink measured, TimeProvider time)
{
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(2);

    /// <summary>What takes so many times as long as expected waited for something that the next request will not meet: it counts no more.</summary>
    private const double Most = 10;

    /// <summary>And this much in seconds, since others on a silo's processors hold up small requests as long as large ones.</summary>
    private const double MostSeconds = 0.01;

    private readonly DecayingSums _requests = new(time, HalfLife);
    private long _heard = time.GetTimestamp();

    /// <summary>What is known of it.</summary>
    public MeasuredLink Measured => _requests.Read() is var (elapsed, expected) && expected > 0 ? measured with { Slowdown = elapsed / expected } : measured;

    /// <summary>How long nothing has travelled.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>A request has travelled.</summary>
    public void Add(long bytes, TimeSpan elapsed)
    {
        var expected = measured.RoundTrip.TotalSeconds + (bytes / measured.BytesPerSecond);
        _requests.Add(Math.Min(elapsed.TotalSeconds, (Most * expected) + MostSeconds), expected);
        Volatile.Write(ref _heard, time.GetTimestamp());
    }
}
