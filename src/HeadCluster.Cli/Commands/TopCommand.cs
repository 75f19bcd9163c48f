using System.CommandLine;
using HeadCluster.Cli.Heads;
using HeadCluster.Cli.Output;
using HeadCluster.Client;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster top</c>: the heads of a running cluster, the slowest first, again and again.</summary>
internal sealed class TopCommand
{
    private const int LongestInterval = 3600;

    // Title, rule and margins of the table.
    private const int TableLines = 6;

    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string?> _model = new("--model") { Description = "Only this model's heads.", HelpName = "name" };
    private readonly Option<bool> _once = new("--once") { Description = "Print one table with all heads, as is done in a pipe." };
    private readonly Option<int> _interval = WholeNumber.Option("--interval", $"seconds, 1 to {LongestInterval}");

    private readonly Option<string> _sort = new("--sort")
    {
        Description = $"The column to sort by, the largest first ({HeadColumn.Usual}).",
        HelpName = "column",
        DefaultValueFactory = _ => HeadColumn.Usual,
    };

    public TopCommand(Terminal terminal)
    {
        _terminal = terminal;
        _sort.AcceptOnlyFromAmong([.. HeadColumn.All.Select(column => column.Name)]);
        _interval.Description = "Seconds from one look to the next (2).";
        _interval.HelpName = "seconds";
        _interval.DefaultValueFactory = _ => 2;
    }

    public Command Create()
    {
        var command = new Command("top", "Shows what each head does and how long it takes, the slowest first, until Ctrl-C.") { _model, _sort, _interval, _once };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var interval = parsed.GetValue(_interval) is >= 1 and <= LongestInterval and var seconds
            ? TimeSpan.FromSeconds(seconds)
            : throw HeadClusterException.InvalidInput($"{_interval.Name} is {parsed.GetValue(_interval)}; expected 1 to {LongestInterval} seconds");
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var (heads, names) = await LookAsync(session.Client, parsed, cancellationToken);
        if (_cluster.WantsJson(parsed))
        {
            _terminal.WriteJson(HeadsAnswer.Of(heads, names), AnswerJson.Default.HeadsAnswer);
        }
        else if (parsed.GetValue(_once) || !_terminal.IsInteractive)
        {
            _terminal.Write(HeadTable.Of(heads, names, _terminal.Width));
        }
        else
        {
            await _terminal.WatchAsync(
                lines => HeadTable.Of(heads.Take(Math.Max(1, lines - TableLines)), names, _terminal.Width),
                async token => (heads, names) = await LookAsync(session.Client, parsed, token),
                interval,
                cancellationToken);
        }

        return ExitCode.Success;
    }

    private async Task<(IReadOnlyList<HeadStatistics> Heads, SiloNames Names)> LookAsync(
        HeadClusterClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var names = new SiloNames(await client.StatusAsync(cancellationToken));
        var heads = await client.GetHeadStatisticsAsync(parsed.GetValue(_model), cancellationToken);
        return ([.. HeadColumn.Find(parsed.GetRequiredValue(_sort)).Sort(heads, names)], names);
    }
}
