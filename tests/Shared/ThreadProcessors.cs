using System.Globalization;

namespace HeadCluster.Tests;

/// <summary>Which processors a thread may use (Linux).</summary>
internal static class ThreadProcessors
{
    /// <summary>Those of the calling thread, ascending.</summary>
    public static int[] Allowed()
    {
        // As Linux lists them: 0-3,8.
        var list = File.ReadLines("/proc/thread-self/status").Single(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1];
        return
        [
            .. list.Split(',').SelectMany(range =>
            {
                var ends = range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray();
                return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
            }),
        ];
    }
}
