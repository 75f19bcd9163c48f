using System.CommandLine;
using System.Globalization;
using System.Net;
using HeadCluster.Cli.Demo;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;
using HeadCluster.Silo.Diagnostics;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster demo</c>: sorts letters on two silos of this process and checks the promises on the way.</summary>
internal sealed class DemoCommand
{
    private static readonly string[] Samples = ["BCABCA", "CCBBAA", "AABBCC", "CABCAB", "ABACAB"];

    private readonly Terminal _terminal;
    private readonly Option<bool> _json = ClusterArguments.CreateJsonOption();
    private readonly TelemetryArguments _telemetry = new();

    private readonly Option<int> _pagePort = WholeNumber.Option("--page-port", $"a port, 1 to {IPEndPoint.MaxPort}");

    private readonly Option<string[]> _letters = new("--letters")
    {
        Description = "Six of the letters A, B and C to sort; may be repeated.",
        HelpName = "letters",
        AllowMultipleArgumentsPerToken = true,
    };

    public DemoCommand(Terminal terminal)
    {
        _terminal = terminal;
        _pagePort.Description = "Then go on sorting and show it on a page at this port of this machine, until Ctrl-C.";
        _pagePort.HelpName = "port";
        _pagePort.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is (< 1 or > IPEndPoint.MaxPort) and var port)
            {
                result.AddError($"{_pagePort.Name} is {port}; expected a port, 1 to {IPEndPoint.MaxPort}");
            }
        });
        _letters.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !Letters.AreValid(token.Value)) is { } wrong)
            {
                result.AddError($"--letters: '{wrong.Value}' cannot be sorted; expected six of the letters A, B and C, such as {Samples[0]}");
            }
        });
    }

    public Command Create()
    {
        var command = new Command("demo", "Sorts letters with a shipped model on two silos and checks what HeadCluster promises.")
        {
            _letters,
            _pagePort,
            _json,
        };
        _telemetry.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _telemetry.Start(parsed);
        var inputs = parsed.GetValue(_letters) is { Length: > 0 } given ? given : Samples;
        var answer = _telemetry.Prints(parsed)
            ? await SortingDemo.RunAsync(inputs, cancellationToken)
            : await Terminal.WaitAsync("Sorting on two silos, then on one", () => SortingDemo.RunAsync(inputs, cancellationToken));
        if (parsed.GetValue(_json))
        {
            _terminal.WriteJson(answer, AnswerJson.Default.DemoAnswer);
        }
        else
        {
            Print(answer);
        }

        if (parsed.GetResult(_pagePort) is not null)
        {
            var port = parsed.GetValue(_pagePort);
            await SortingDemo.ServePageAsync(
                port, () => _terminal.WriteLine($"  every head, live: http://localhost:{port.Text()}/ (Ctrl-C ends it)"), cancellationToken);
        }

        return answer.Holds ? ExitCode.Success : ExitCode.Failed;
    }

    private void Print(DemoAnswer answer)
    {
        var silos = answer.Heads.Select(head => head.Silo).Distinct().Count();
        _terminal.WriteLine($"  {answer.Heads.Count.Text()} heads on {silos.Text()} silos sort six letters:");
        foreach (var input in answer.Inputs)
        {
            _terminal.WriteLine($"  {input.Letters} → {input.Answer}{(input.Sorted ? "" : "  not sorted")}");
        }

        var heads = Tables.Create(">layer", ">head", "silo", ">queue µs", ">project µs", ">attend µs", ">on previous token");
        foreach (var head in answer.Heads)
        {
            heads.Add(
                head.Layer.Text(),
                head.Head.Text(),
                head.Silo,
                head.QueueMicroseconds.Microseconds(),
                head.ProjectMicroseconds.Microseconds(),
                head.AttendMicroseconds.Microseconds(),
                head.PreviousTokenShare.Percent());
        }

        _terminal.Write(heads);
        _terminal.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  largest difference from the plain single-threaded model: {answer.MaxDifference:0.0e+0} (at most {DemoAnswer.Tolerance:0e+0})"));
        _terminal.WriteLine($"  SHA-256 of all logits on two silos: {answer.Sha256}");
        _terminal.WriteLine(answer.OneHash ? "  one silo gives the same" : $"  ONE SILO DIFFERS:                    {answer.Sha256OnOneSilo}");
        _terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  first answer {answer.FirstAnswerSeconds:0.00} s after the start"));
    }
}
