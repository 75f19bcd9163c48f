using System.Diagnostics;

namespace HeadCluster.Benchmarks.Measuring;

/// <summary>
/// Two ways of doing the same in turn, A B B A A B …, so that whatever slows the machine down slows both. The ratio is taken
/// pair by pair, and its median is what counts.
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
        var (first, second) = (new double[effort.Pairs], new double[effort.Pairs]);
        for (var pair = 0; pair < effort.Pairs; pair++)
        {
            if (pair % 2 == 0)
            {
                first[pair] = Time(ours, oursPerSample);
                second[pair] = Time(peer, peerPerSample);
            }
            else
            {
                second[pair] = Time(peer, peerPerSample);
                first[pair] = Time(ours, oursPerSample);
            }
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
/// <param name="Pairs">Samples of each of the two.</param>
/// <param name="Sample">The least that a sample takes.</param>
/// <param name="WarmUp">Executions before the first sample.</param>
internal sealed record Effort(int Pairs, TimeSpan Sample, TimeSpan WarmUp)
{
    public static Effort Full { get; } = new(41, TimeSpan.FromMilliseconds(30), TimeSpan.FromSeconds(1));

    public static Effort Quick { get; } = new(5, TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(300));
}

/// <summary>Medians over the pairs.</summary>
/// <param name="Ours">Seconds of one execution of ours.</param>
/// <param name="Peer">Seconds of one execution of the peer.</param>
/// <param name="Ratio">Ours ÷ peer, pair by pair.</param>
internal sealed record PairTimes(double Ours, double Peer, double Ratio);
