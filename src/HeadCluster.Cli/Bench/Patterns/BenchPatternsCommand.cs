using System.CommandLine;
using System.Globalization;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Bench.Patterns;

/// <summary><c>headcluster bench patterns</c>: the attention of a prompt with every pattern captured, against the same with none.</summary>
internal sealed class BenchPatternsCommand
{
    private const int MostTokens = 1024;

    private readonly Terminal _terminal;
    private readonly Option<bool> _quick = new("--quick") { Description = "Fewer samples: a few seconds." };
    private readonly Option<int> _tokens = WholeNumber.Option("--tokens", $"1 to {MostTokens}");

    public BenchPatternsCommand(Terminal terminal)
    {
        _terminal = terminal;
        _tokens.Description = "Length of the prompt (64).";
        _tokens.HelpName = "count";
        _tokens.DefaultValueFactory = _ => 64;
    }

    public Command Create()
    {
        var command = new Command("patterns", "Measures what capturing every pattern costs the attention of gpt2-small.") { _quick, _tokens };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var tokens = parsed.GetValue(_tokens) is >= 1 and <= MostTokens and var given
            ? given
            : throw HeadClusterException.InvalidInput($"{_tokens.Name} is {parsed.GetValue(_tokens)}; expected 1 to {MostTokens}");
        await using var benchmark = await Terminal.WaitAsync("Starting a silo", () => PatternBenchmark.StartAsync(tokens, cancellationToken));
        var pairs = parsed.GetValue(_quick) ? 5 : 101;
        var (with, without, ratio) = await Terminal.WaitAsync("Measuring", () => benchmark.MeasureAsync(pairs, cancellationToken));

        var table = Tables.Create(">tokens", ">ms with patterns", ">ms without", ">ratio");
        table.Add(tokens.Text(), Text(with * 1e3), Text(without * 1e3), Text(ratio));
        _terminal.Write(table);
        return ExitCode.Success;
    }

    private static string Text(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
