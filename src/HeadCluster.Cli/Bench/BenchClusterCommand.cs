using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench;

/// <summary><c>headcluster bench cluster</c>: one layer on several silos of this machine, on one, and as a plain loop.</summary>
internal sealed class BenchClusterCommand
{
    private readonly Terminal _terminal;
    private readonly BenchArguments _arguments = new();

    public BenchClusterCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("cluster", "Measures a layer spread over silo processes of this machine against one silo and a plain loop.");
        _arguments.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (silos, threads, shapes, effort, file) = _arguments.Read(parsed);
        try
        {
            var results = await MeasureAsync(shapes, silos, threads, effort, cancellationToken);
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
        BenchShape[] shapes, int silos, int threads, BenchEffort effort, CancellationToken cancellationToken)
    {
        var pinning = Pinning.Find();
        var sockets = SocketBytes.Find();
        foreach (var warning in pinning.Warnings(silos, threads).Concat(sockets is null ? [SocketBytes.Absent] : []))
        {
            Console.Error.WriteLine($"warning: {warning}");
        }

        await using var benchmark = await Terminal.WaitAsync(
            "Starting silos", () => ClusterBenchmark.StartAsync(silos, threads, pinning, sockets, effort, cancellationToken));
        var results = new List<ClusterResult>();
        foreach (var shape in shapes)
        {
            results.Add(await Terminal.WaitAsync($"Measuring {shape}", () => benchmark.MeasureAsync(shape, cancellationToken)));
        }

        return results;
    }
}
