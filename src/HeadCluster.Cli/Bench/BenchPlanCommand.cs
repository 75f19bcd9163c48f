using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench;

/// <summary><c>headcluster bench plan</c>: how near the scheduler's predictions are, and how good the split that it picks.</summary>
internal sealed class BenchPlanCommand
{
    private const int MostBusy = 16;

    private readonly Terminal _terminal;
    private readonly BenchArguments _arguments = new();
    private readonly Option<int> _busy = BenchArguments.Number("--busy", "processes", $"a number of processes, 0 to {MostBusy}", "Processes that compete for the last silo's core (0).", 0);
    private readonly Option<int> _quota = BenchArguments.Number("--quota", "percent", "a percentage, 1 to 100", "What the last silo may use of a core (100).", 100);

    public BenchPlanCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("plan", "Measures splits of a layer's heads over silo processes of this machine against what the scheduler expects of them.");
        _arguments.AddTo(command);
        command.Add(_busy);
        command.Add(_quota);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (silos, threads, shapes, effort, file) = _arguments.Read(parsed);
        var busy = BenchArguments.InRange(parsed.GetValue(_busy), 0, MostBusy, _busy);
        var quota = BenchArguments.InRange(parsed.GetValue(_quota), 1, 100, _quota);
        try
        {
            var pinning = Pinning.Find();
            foreach (var warning in pinning.Warnings(silos, threads))
            {
                Console.Error.WriteLine($"warning: {warning}");
            }

            await using var benchmark = await Terminal.WaitAsync(
                "Starting silos", () => PlanBenchmark.StartAsync(silos, threads, busy, quota, pinning, effort, cancellationToken));
            var results = new List<PlanResult>();
            foreach (var shape in shapes)
            {
                results.AddRange(await Terminal.WaitAsync($"Measuring {shape}", () => benchmark.MeasureAsync(shape, cancellationToken)));
            }

            _terminal.Write(PlanResult.Tabulate(results));
            if (file is not null)
            {
                new PlanReport(results).Write(file);
            }

            return ExitCode.Success;
        }
        catch (BenchFailure failure)
        {
            Console.Error.WriteLine($"error: {failure.Message}");
            return ExitCode.Failed;
        }
    }
}
