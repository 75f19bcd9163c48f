using System.CommandLine;
using HeadCluster.Cli.Heads;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster status</c>: the silos, the models, where each head is and how long it takes.</summary>
internal sealed class StatusCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<bool> _heads = new("--heads") { Description = "Only the heads, with all that they count and time." };

    public StatusCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("status", "Shows silos, models, and where each active head is with its timings.") { _heads };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var status = await session.Client.StatusAsync(cancellationToken);
        switch ((parsed.GetValue(_heads), _cluster.WantsJson(parsed)))
        {
            case (true, true):
                _terminal.WriteJson(HeadsAnswer.Of(status.Heads, new SiloNames(status)), AnswerJson.Default.HeadsAnswer);
                break;
            case (true, false):
                _terminal.Write(HeadTable.Of(status.Heads, new SiloNames(status), _terminal.Width));
                break;
            case (false, true):
                _terminal.WriteJson(StatusAnswer.Of(status), AnswerJson.Default.StatusAnswer);
                break;
            default:
                Print(status);
                break;
        }

        return ExitCode.Success;
    }

    private void Print(ClusterStatus status)
    {
        var silos = Tables.Create("silo", "address", "status");
        foreach (var silo in status.Silos)
        {
            silos.Add(silo.Name, silo.Address.Endpoint.ToString(), silo.Status);
        }

        var models = Tables.Create("model", ">layers", ">width", ">heads", ">KV heads", ">positions", ">tokens");
        foreach (var model in status.Models)
        {
            models.Add(
                model.Name,
                model.LayerCount.Text(),
                model.ModelDim.Text(),
                model.HeadCount.Text(),
                model.KvHeadCount.Text(),
                model.MaxSequenceLength.Text(),
                model.VocabularySize.Text());
        }

        var names = new SiloNames(status);
        var heads = Tables.Create("head", "silo", ">weights KiB", ">requests", ">queue µs", ">project µs", ">attend µs");
        foreach (var head in status.Heads)
        {
            heads.Add(
                head.Head.ToString(),
                names.Of(head.Silo),
                (head.WeightBytes / 1024).Text(),
                head.Requests.Text(),
                head.Queue.P50.TotalMicroseconds.Microseconds(),
                head.Project.P50.TotalMicroseconds.Microseconds(),
                head.Attend.P50.TotalMicroseconds.Microseconds());
        }

        _terminal.Write(silos);
        _terminal.Write(models);
        foreach (var model in status.BrokenModels)
        {
            _terminal.WriteLine($"  cannot be used: {model.Error}");
        }

        if (status.Heads.Length == 0)
        {
            _terminal.WriteLine("  No head is active yet: a head is loaded when it is first asked for.");
        }
        else
        {
            _terminal.Write(heads);
        }
    }
}
