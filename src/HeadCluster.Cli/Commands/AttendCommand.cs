using System.CommandLine;
using HeadCluster.Cli.Files;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster attend</c>: computes one layer's attention output from a file to a file.</summary>
internal sealed class AttendCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string> _model = new("--model") { Description = "The model's name.", HelpName = "name", Required = true };
    private readonly Option<int> _layer = WholeNumber.Option("--layer", "a layer, from 0");

    private readonly Option<string> _input = new("--input")
    {
        Description = "The layer's input x [rows, width], a .npy or .safetensors file.",
        HelpName = "file",
        Required = true,
    };

    private readonly Option<string?> _output = new("--output")
    {
        Description = "Where to write y [rows, width], a .npy or .safetensors file.",
        HelpName = "file",
    };

    public AttendCommand(Terminal terminal)
    {
        _terminal = terminal;
        _layer.Description = "The layer, from 0.";
        _layer.HelpName = "index";
        _layer.Required = true;
    }

    public Command Create()
    {
        var command = new Command("attend", "Computes the attention output of one layer.") { _model, _layer, _input, _output };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        // Before anything is started: a file that cannot be read or a name that cannot be written needs no silo.
        var input = MatrixFile.Read(parsed.GetRequiredValue(_input));
        var output = parsed.GetValue(_output);
        if (output is not null)
        {
            MatrixFile.CheckWritable(output, _output.Name);
        }

        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var model = parsed.GetRequiredValue(_model);
        var layer = parsed.GetValue(_layer);
        var result = await _cluster.WaitAsync(
            parsed, "Loading heads and attending", () => session.Client.AttendAsync(model, layer, input, cancellationToken));
        if (output is not null)
        {
            MatrixFile.Write(output, result.Output);
        }

        var silos = new SiloNames(await session.Client.StatusAsync(cancellationToken));
        var heads = Array.ConvertAll(result.Heads, report => HeadTimes.Of(report, silos));
        if (_cluster.WantsJson(parsed))
        {
            _terminal.WriteJson(
                new AttendAnswer(model, layer, result.Output.Rows, result.Output.Columns, output, heads),
                AnswerJson.Default.AttendAnswer);
            return ExitCode.Success;
        }

        _terminal.Write(HeadTimes.Tabulate(heads));
        _terminal.WriteLine($"  y {result.Output}{(output is null ? "" : $" written to {output}")}");
        return ExitCode.Success;
    }
}

/// <summary>The JSON of <c>attend</c>.</summary>
internal sealed record AttendAnswer(string Model, int Layer, int Rows, int Columns, string? Output, IReadOnlyList<HeadTimes> Heads);
