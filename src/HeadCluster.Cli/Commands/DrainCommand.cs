using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster drain</c>: moves everything away from a silo, so that it can be stopped.</summary>
internal sealed class DrainCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Argument<string> _silo = new("silo") { Description = "The silo's name, or its address." };

    public DrainCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("drain", "Moves everything away from a silo, which gets nothing more until it is started anew.") { _silo };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var names = new SiloNames(await session.Client.StatusAsync(cancellationToken));
        var silo = names.Find(parsed.GetRequiredValue(_silo));
        var asJson = _cluster.WantsJson(parsed);
        Action<IReadOnlyList<MoveReport>>? writeJson = asJson
            ? made => _terminal.WriteJson(MovesAnswer.Of(made, names), AnswerJson.Default.MovesAnswer)
            : null;
        await MoveProgress.ShowAsync(
            _terminal, writeJson, names, session.Client.Scheduler.DrainAsync(silo, cancellationToken), cancellationToken);
        if (!asJson)
        {
            _terminal.WriteLine($"  {names.Of(silo)} has nothing any more; it can be stopped");
        }

        return ExitCode.Success;
    }
}
