using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench.Telemetry;

/// <summary><c>headcluster bench telemetry</c>: a layer with metrics or spans on, against the same with none.</summary>
internal sealed class BenchTelemetryCommand
{
    // A median of this many ratios is steady to some thousandths on a quiet machine.
    private const int Pairs = 121;
    private const int QuickPairs = 5;
    private const int CallsOfSample = 11;

    private static readonly BenchShape Shape = new(128, 768, 12);

    private readonly Terminal _terminal;
    private readonly Option<bool> _quick = new("--quick") { Description = "Fewer samples: a few seconds." };
    private readonly Option<string?> _shape = new("--shape") { Description = $"The layer, as rows x width x heads ({Shape}).", HelpName = $"{Shape}" };

    public BenchTelemetryCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("telemetry", "Measures what metrics and spans cost a layer.") { _shape, _quick };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var shape = parsed.GetValue(_shape) is { } given ? BenchShape.Parse(given) : Shape;
        var pairs = parsed.GetValue(_quick) ? QuickPairs : Pairs;
        await using var benchmark = await Terminal.WaitAsync("Starting a silo", () => TelemetryBenchmark.StartAsync(shape, cancellationToken));
        var results = new List<TelemetryResult>();
        foreach (var (name, start) in TelemetryBenchmark.Kinds)
        {
            results.Add(await Terminal.WaitAsync($"Measuring {name}", () => benchmark.MeasureAsync(name, start, pairs, CallsOfSample, cancellationToken)));
        }

        _terminal.Write(TelemetryResult.Tabulate(results));
        return ExitCode.Success;
    }
}
