using System.Diagnostics;
using System.Globalization;

namespace HeadCluster.Benchmarks.Silos;

/// <summary>
/// What calls take while all processors compute: the time that this process's threads have run, but for its compute threads, spread over the
/// processors. Linux only.
/// </summary>
internal static class CallTime
{
    // As much of the compute threads' name as Linux keeps.
    private const string ComputeThreads = "HeadCluster com";

    /// <summary>Runs something again and again.</summary>
    /// <param name="action">One request.</param>
    /// <param name="duration">For how long.</param>
    /// <returns>Seconds a request.</returns>
    public static double Measure(Action action, TimeSpan duration)
    {
        action();
        var (began, before) = (Stopwatch.GetTimestamp(), Seconds());
        var requests = 0;
        do
        {
            action();
            requests++;
        }
        while (Stopwatch.GetElapsedTime(began) < duration);

        return (Seconds() - before) / requests / Environment.ProcessorCount;
    }

    private static double Seconds() =>
        Environment.CpuUsage.TotalTime.TotalSeconds
        - Directory.EnumerateDirectories("/proc/self/task")
            .Where(task => File.ReadAllText($"{task}/comm").StartsWith(ComputeThreads, StringComparison.Ordinal))
            .Sum(task => long.Parse(File.ReadAllText($"{task}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e9);
}
