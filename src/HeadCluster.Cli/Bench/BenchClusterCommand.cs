using System.CommandLine;
using HeadCluster.Cli.Files;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench;

/// <summary><c>headcluster bench cluster</c>: one layer on several silos of this machine, on one, and as a plain loop.</summary>
internal sealed class BenchClusterCommand
{
    private const int MostSilos = 64;
    private const int MostThreads = 1024;

    private readonly Terminal _terminal;
    private readonly Option<int> _silos = Number("--silos", "silos", $"a number of silos, 1 to {MostSilos}", "Silos to spread the heads over (2).", 2);
    private readonly Option<int> _threads = Number("--threads", "threads", $"a number of threads, 1 to {MostThreads}", "Compute threads, and cores, of each silo (1).", 1);
    private readonly Option<FileInfo?> _json = new("--json") { Description = "Also write the figures to this file.", HelpName = "file" };
    private readonly Option<bool> _quick = new("--quick") { Description = "Fewer and shorter samples: under a minute." };

    private readonly Option<string[]> _shapes = new("--shapes")
    {
        Description = $"Layers to measure, each as rows x width x heads ({string.Join(' ', BenchShape.Default)}).",
        HelpName = "11x48x3",
        AllowMultipleArgumentsPerToken = true,
    };

    public BenchClusterCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("cluster", "Measures a layer spread over silo processes of this machine against one silo and a plain loop.")
        {
            _silos,
            _threads,
            _shapes,
            _json,
            _quick,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var silos = InRange(parsed.GetValue(_silos), MostSilos, _silos);
        var threads = InRange(parsed.GetValue(_threads), MostThreads, _threads);
        var shapes = parsed.GetValue(_shapes) is { Length: > 0 } given ? Array.ConvertAll(given, BenchShape.Parse) : [.. BenchShape.Default];
        var file = parsed.GetValue(_json);
        if (file is not null)
        {
            OutputFile.CheckWritable(file.FullName, _json.Name);
        }

        try
        {
            var results = await MeasureAsync(shapes, silos, threads, parsed.GetValue(_quick), cancellationToken);
            _terminal.Write(ClusterResult.Tabulate(results));
            if (file is not null)
            {
                new ClusterReport(results).Write(file);
            }

            return ExitCode.Success;
        }
        catch (BenchFailure failure)
        {
            Console.Error.WriteLine($"error: {failure.Message}");
            return ExitCode.Failed;
        }
    }

    private static async Task<List<ClusterResult>> MeasureAsync(
        BenchShape[] shapes, int silos, int threads, bool quick, CancellationToken cancellationToken)
    {
        var pinning = Pinning.Find();
        var sockets = SocketBytes.Find();
        foreach (var warning in pinning.Warnings(silos, threads).Concat(sockets is null ? [SocketBytes.Absent] : []))
        {
            Console.Error.WriteLine($"warning: {warning}");
        }

        var effort = quick ? BenchEffort.Quick : BenchEffort.Full;
        await using var benchmark = await Terminal.WaitAsync(
            "Starting silos", () => ClusterBenchmark.StartAsync(silos, threads, pinning, sockets, effort, cancellationToken));
        var results = new List<ClusterResult>();
        foreach (var shape in shapes)
        {
            results.Add(await Terminal.WaitAsync($"Measuring {shape}", () => benchmark.MeasureAsync(shape, cancellationToken)));
        }

        return results;
    }

    private static int InRange(int value, int most, Option option) => value >= 1 && value <= most
        ? value
        : throw HeadClusterException.InvalidInput($"{option.Name} is {value}; expected 1 to {most}");

    private static Option<int> Number(string name, string helpName, string expected, string description, int usual)
    {
        var option = WholeNumber.Option(name, expected);
        option.Description = description;
        option.HelpName = helpName;
        option.DefaultValueFactory = _ => usual;
        return option;
    }
}
