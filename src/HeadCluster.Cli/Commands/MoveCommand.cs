using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster move</c>: moves one head to a silo.</summary>
internal sealed class MoveCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Argument<string> _head = new("head") { Description = "The head as model/layer/head, such as nano-gpt/0/2." };
    private readonly Argument<string> _silo = new("silo") { Description = "The silo's name, or its address." };

    public MoveCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("move", "Moves a head to a silo; it serves meanwhile.") { _head, _silo };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _cluster.StartTelemetry(parsed);
        var head = HeadId.Parse(parsed.GetRequiredValue(_head));
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var names = new SiloNames(await session.Client.StatusAsync(cancellationToken));
        var move = await session.Client.Scheduler.MoveAsync(head, names.Find(parsed.GetRequiredValue(_silo)), cancellationToken);
        if (_cluster.WantsJson(parsed))
        {
            _terminal.WriteJson(MovesAnswer.Of([move], names), AnswerJson.Default.MovesAnswer);
        }
        else
        {
            _terminal.WriteLine(MoveProgress.Line(move, names));
        }

        return ExitCode.Success;
    }
}
