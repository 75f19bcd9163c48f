using System.Globalization;

namespace HeadCluster.Cli.Bench;

/// <summary>A limit on the processor time of one process: a control group of Linux with a CFS bandwidth, as containers have it.</summary>
internal sealed class CpuQuota : IDisposable
{
    /// <summary>
    /// The time is given anew so often, in microseconds. Shorter than the usual 100 ms, in which a silo would be as fast as without a limit
    /// until it has used its time up, and then stand still.
    /// </summary>
    private const int Period = 10_000;

    private const string Root = "/sys/fs/cgroup";

    private readonly string _group;

    private CpuQuota(string group) => _group = group;

    /// <summary>Limits a process until the result is disposed, once the process has ended.</summary>
    /// <param name="process">Its id.</param>
    /// <param name="percent">What it gets of one core.</param>
    /// <exception cref="BenchFailure">This user may not do so here.</exception>
    public static CpuQuota Limit(int process, int percent)
    {
        // Where groups are told apart by what they limit, the older way, processor time has a tree of its own.
        var root = File.Exists($"{Root}/cgroup.controllers") ? Root : $"{Root}/cpu";
        var group = $"{root}/headcluster-bench-{Text(process)}";
        var quota = new CpuQuota(group);
        try
        {
            Directory.CreateDirectory(group);
            if (root == Root)
            {
                Write("cpu.max", $"{Text(Period * percent / 100)} {Text(Period)}");
            }
            else
            {
                Write("cpu.cfs_period_us", Text(Period));
                Write("cpu.cfs_quota_us", Text(Period * percent / 100));
            }

            Write("cgroup.procs", Text(process));
            return quota;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            quota.Dispose();
            throw new BenchFailure($"a quota takes a control group for processor time below {root}, which this user cannot make: {exception.Message}");
        }

        void Write(string file, string text) => File.WriteAllText($"{group}/{file}", text);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(_group);
        }
        catch (IOException)
        {
            // It was never made, or is not empty yet; an empty group costs nothing.
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
