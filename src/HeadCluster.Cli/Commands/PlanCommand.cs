using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster plan</c>: shows where heads would go and what a request would take there, before anything moves.</summary>
internal sealed class PlanCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly PlanArguments _plan = new();
    private readonly Option<bool> _apply = new("--apply") { Description = "Move the heads accordingly; they serve meanwhile." };

    public PlanCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("plan", "Shows where the heads of a model belong, beside where they are.");
        _plan.AddTo(command);
        command.Add(_apply);
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var scheduler = session.Client.Scheduler;
        var (model, request) = _plan.Read(parsed);
        var preview = await _cluster.WaitAsync(parsed, "Measuring silos", () => scheduler.PlanAsync(model, request, cancellationToken));
        var names = new SiloNames(await session.Client.StatusAsync(cancellationToken));
        if (!_cluster.WantsJson(parsed))
        {
            PlanTable.Write(_terminal, preview);
            if (parsed.GetValue(_apply))
            {
                await MoveProgress.ShowAsync(_terminal, writeJson: null, names, ApplyAsync(), cancellationToken);
            }

            return ExitCode.Success;
        }

        // The plan is told also where no head could be moved.
        IReadOnlyList<MoveReport> moves = [];
        try
        {
            if (parsed.GetValue(_apply))
            {
                await MoveProgress.ShowAsync(_terminal, made => moves = made, names, ApplyAsync(), cancellationToken);
            }
        }
        finally
        {
            _terminal.WriteJson(PlanAnswer.Of(preview, moves, names), AnswerJson.Default.PlanAnswer);
        }

        return ExitCode.Success;

        IAsyncEnumerable<MoveReport> ApplyAsync() => scheduler.ApplyAsync(model, request, cancellationToken);
    }
}
