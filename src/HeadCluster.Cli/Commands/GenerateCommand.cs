using System.CommandLine;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster generate</c>: continues a sequence of tokens and prints each as it comes.</summary>
internal sealed class GenerateCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string> _model = new("--model") { Description = "The model's name.", HelpName = "name", Required = true };

    private readonly Option<int[]> _tokens = TokenIds.Option();
    private readonly Option<int> _steps = WholeNumber.Option("--steps", "how many tokens to generate");

    public GenerateCommand(Terminal terminal)
    {
        _terminal = terminal;
        _tokens.Required = true;
        _steps.Description = "Tokens to generate.";
        _steps.HelpName = "count";
        _steps.Required = true;
    }

    public Command Create()
    {
        var command = new Command("generate", "Continues a sequence of tokens by the most likely one, step by step.") { _model, _tokens, _steps };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var model = parsed.GetRequiredValue(_model);
        var prompt = parsed.GetRequiredValue(_tokens);
        var tokens = session.Client.GenerateAsync(model, prompt, parsed.GetValue(_steps), cancellationToken);
        if (_cluster.WantsJson(parsed))
        {
            var all = await tokens.ToListAsync(cancellationToken);
            _terminal.WriteJson(new GenerateAnswer(model, prompt, all), AnswerJson.Default.GenerateAnswer);
            return ExitCode.Success;
        }

        var separator = "";
        await foreach (var token in tokens)
        {
            _terminal.WritePart(separator + token.Token.Text());
            separator = " ";
        }

        _terminal.WriteLine();
        return ExitCode.Success;
    }
}

/// <summary>The JSON of <c>generate</c>.</summary>
internal sealed record GenerateAnswer(string Model, int[] Prompt, IReadOnlyList<GeneratedToken> Tokens);
