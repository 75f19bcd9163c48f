using System.Globalization;

namespace HeadCluster.Cli.Bench;

/// <summary>Which cores the silos run on: the first silo on the first cores that this process may use, and so on around.</summary>
internal sealed class Pinning
{
    private readonly string? _taskset;
    private readonly int[] _cores;

    private Pinning(string? taskset, int[] cores)
    {
        _taskset = taskset;
        _cores = cores;
    }

    public static Pinning Find() => Tool.Find("taskset") is { } taskset && AllowedCores() is { Length: > 0 } cores
        ? new Pinning(taskset, cores)
        : new Pinning(null, [.. Enumerable.Range(0, Environment.ProcessorCount)]);

    /// <summary>What makes figures less than they seem.</summary>
    public IEnumerable<string> Warnings(int silos, int threads)
    {
        if (_taskset is null)
        {
            yield return "there is no taskset, so silos are not pinned to cores and get in each other's way";
        }

        if (silos * threads > _cores.Length)
        {
            yield return $"{silos} silos of {threads} compute threads share {_cores.Length} cores, so that they cannot be as fast as on machines of their own";
        }
    }

    /// <summary>The command that runs a program on a silo's cores.</summary>
    /// <param name="silo">Index of the silo.</param>
    /// <param name="threads">Cores of each silo.</param>
    /// <param name="command">The program and its arguments.</param>
    public string[] Pin(int silo, int threads, string[] command)
    {
        if (_taskset is null)
        {
            return command;
        }

        var cores = Enumerable.Range(silo * threads, threads).Select(core => _cores[core % _cores.Length]).Distinct();
        return [_taskset, "-c", string.Join(',', cores), .. command];
    }

    /// <summary>The command that keeps a silo's first core busy; null if it cannot be pinned there.</summary>
    public string[]? KeepBusy(int silo, int threads) =>
        _taskset is null ? null : Pin(silo * threads, threads: 1, ["sh", "-c", "while :; do :; done"]);

    // A list such as 0-1,4.
    private static int[] AllowedCores()
    {
        const string Key = "Cpus_allowed_list:";
        var list = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
        return [.. (list ?? Key)[Key.Length..].Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(range =>
        {
            var ends = Array.ConvertAll(range.Split('-'), end => int.Parse(end, CultureInfo.InvariantCulture));
            return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
        })];
    }
}
