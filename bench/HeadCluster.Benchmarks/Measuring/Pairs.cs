using System.Diagnostics;

namespace HeadCluster.Benchmarks.Measuring;

/// <summary>
/// Two ways of doing the same in turn, A B B A, so that whatever slows the machine down slows both. A ratio is that of all four: what follows
/// its like is faster than what follows the other, and with A B alone the one that comes first would be slower. The median of the ratios counts.
/// </summary>
internal static class Pairs
{
    /// <summary>Measures both.</summary>
    /// <param name="ours">One execution of ours.</param>
    /// <param name="peer">One execution of what ours is compared with.</param>
    /// <param name="effort">How long and how often.</param>
    public static PairTimes Measure(Action ours, Action peer, Effort effort)
    {
        var (oursPerSample, peerPerSample) = (WarmUp(ours, effort), WarmUp(peer, effort));
        var (first, second) = (new double[effort.Rounds], new double[effort.Rounds]);
        for (var round = 0; round < effort.Rounds; round++)
        {
            first[round] = Time(ours, oursPerSample);
            second[round] = (Time(peer, peerPerSample) + Time(peer, peerPerSample)) / 2;
            first[round] = (first[round] + Time(ours, oursPerSample)) / 2;
        }

        return new PairTimes(Median(first), Median(second), Median([.. first.Zip(second, (a, b) => a / b)]));
    }

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    public static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    // Runs until everything is compiled and caches are filled; returns how many executions make up a sample.
    private static int WarmUp(Action action, Effort effort)
    {
        var began = Stopwatch.GetTimestamp();
        var runs = 0;
        do
        {
            action();
            runs++;
        }
        while (Stopwatch.GetElapsedTime(began) < effort.WarmUp);

        var once = Time(action, Math.Max(1, runs / 4));
        return (int)Math.Clamp(effort.Sample.TotalSeconds / once, 1, 100_000);
    }

    private static double Time(Action action, int executions)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < executions; i++)
        {
            action();
        }

        return Stopwatch.GetElapsedTime(began).TotalSeconds / executions;
    }
}

/// <summary>How much time a measurement takes.</summary>
/// <param name="Rounds">Of A B B A.</param>
/// <param name="Sample">The least that a sample takes.</param>
/// <param name="WarmUp">Executions before the first sample.</param>
internal sealed record Effort(int Rounds, TimeSpan Sample, TimeSpan WarmUp)
{
    public static Effort Full { get; } = new(21, TimeSpan.FromMilliseconds(30), TimeSpan.FromSeconds(1));

    public static Effort Quick { get; } = new(3, TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(300));
}

/// <summary>Medians over the rounds.</summary>
/// <param name="Ours">Seconds of one execution of ours.</param>
/// <param name="Peer">Seconds of one execution of the peer.</param>
/// <param name="Ratio">Ours ÷ peer, round by round.</param>
internal sealed record PairTimes(double Ours, double Peer, double Ratio);
