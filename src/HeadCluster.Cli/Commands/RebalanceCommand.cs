using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster rebalance</c>: moves heads if that is worth it, once or for as long as somebody watches.</summary>
internal sealed class RebalanceCommand
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(2);

    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly PlanArguments _plan = new();
    private readonly Option<bool> _watch = new("--watch") { Description = "Go on, every two seconds, until Ctrl-C." };

    public RebalanceCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("rebalance", "Moves heads where that promises a tenth of a request's time; they serve meanwhile.");
        _plan.AddTo(command);
        command.Add(_watch);
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var (model, plan) = _plan.Read(parsed);
        var request = plan with { OnlyIfWorthIt = true };
        var asJson = _cluster.WantsJson(parsed);
        using var timer = new PeriodicTimer(WatchPeriod, TimeProvider.System);
        do
        {
            var names = new SiloNames(await session.Client.StatusAsync(cancellationToken));
            Action<IReadOnlyList<MoveReport>>? writeJson = asJson
                ? made => _terminal.WriteJson(MovesAnswer.Of(made, names), AnswerJson.Default.MovesAnswer)
                : null;
            var moves = await MoveProgress.ShowAsync(
                _terminal, writeJson, names, session.Client.Scheduler.ApplyAsync(model, request, cancellationToken), cancellationToken);
            if (!asJson && moves.Count == 0 && !parsed.GetValue(_watch))
            {
                _terminal.WriteLine("  nothing that is worth moving");
            }
        }
        while (parsed.GetValue(_watch) && await timer.WaitForNextTickAsync(cancellationToken));
        return ExitCode.Success;
    }
}
