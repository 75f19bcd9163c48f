using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>
/// How many times as long as its speed says this silo's heads take when another silo has asked for them: with the calls and, where others
/// share the processor, with what those who make the calls wait for it, which is the more the longer the heads compute. Thread-safe.
/// </summary>
internal sealed class AnswerMeter(SiloSpeed speed, ComputePool compute, TimeProvider time)
{
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(1);

    /// <summary>What takes longer than expected by more than this, in seconds, waited for something that the next request will not meet: it counts no more.</summary>
    private const double MostSeconds = 0.1;

    /// <summary>
    /// What is left, in seconds, of the least that heads compute, half a minute later. Then it says little: a silo without heads may have its
    /// processor for itself again.
    /// </summary>
    private const double Outdated = 1e-14;

    private readonly DecayingSums _answers = new(time, HalfLife);

    /// <summary>Some heads have answered, for which the silo had all of x early and nothing else to compute.</summary>
    /// <param name="heads">How many, 1 or more.</param>
    /// <param name="operations">Floating-point operations of each.</param>
    /// <param name="elapsed">From the request's arrival to the last head's answer.</param>
    public void Add(int heads, double operations, TimeSpan elapsed)
    {
        // Smaller ones start no thread, and calls outweigh them.
        if (operations >= ComputePool.InlineOperations && speed.Known() is { } known)
        {
            var each = operations / known;
            var expected = Math.Max(each, heads * each / compute.ThreadCount);
            _answers.Add(Math.Min((elapsed - speed.Start()).TotalSeconds, expected + MostSeconds), expected);
        }
    }

    /// <summary>That of the last seconds, 1 or more; null if none has answered for a while.</summary>
    public double? Slowdown()
    {
        var (seconds, expected) = _answers.Read();
        return expected >= Outdated ? Math.Max(1, seconds / expected) : null;
    }
}
