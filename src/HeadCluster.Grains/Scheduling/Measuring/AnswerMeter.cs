using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>
/// What this silo takes to answer another that asks for its heads, beyond what its start and its speed explain: the calls, and where others
/// share the processor, what those who make them wait for it. Thread-safe.
/// </summary>
internal sealed class FanOutMeter(SiloSpeed speed, ComputePool compute, TimeProvider time)
{
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(1);

    /// <summary>What takes longer, in seconds, waited for something that the next request will not meet: it counts no more.</summary>
    private const double Most = 0.1;

    /// <summary>What is left of an answer after half a minute. Then it says little: a silo without heads may have its processor for itself again.</summary>
    private const double Outdated = 1e-9;

    private readonly DecayingSums _answers = new(time, HalfLife);

    /// <summary>Some heads have answered, for which the silo had all of x from the beginning and nothing else to compute.</summary>
    /// <param name="heads">How many, 1 or more.</param>
    /// <param name="operations">Floating-point operations of each.</param>
    /// <param name="elapsed">From the request's arrival to the last head's answer.</param>
    public void Add(int heads, double operations, TimeSpan elapsed)
    {
        // Smaller ones start no thread, and calls outweigh them.
        if (operations >= ComputePool.InlineOperations && speed.Known() is { } known)
        {
            var each = operations / known;
            var computing = Math.Max(each, heads * each / compute.ThreadCount);
            _answers.Add(1, Math.Min(elapsed.TotalSeconds - speed.Start().TotalSeconds - computing, Most));
        }
    }

    /// <summary>The average of the last seconds; null if none has answered for a while.</summary>
    public TimeSpan? Lately()
    {
        var (answers, seconds) = _answers.Read();
        return answers >= Outdated ? TimeSpan.FromSeconds(Math.Max(0, seconds / answers)) : null;
    }
}
