using System.CommandLine;
using System.Globalization;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster generate</c>: continues a sequence of tokens and prints each as it comes.</summary>
internal sealed class GenerateCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string> _model = new("--model") { Description = "The model's name.", HelpName = "name", Required = true };

    private readonly Option<int[]> _tokens = new("--tokens")
    {
        Description = "The prompt's token ids, such as 1,2,0.",
        HelpName = "ids",
        Required = true,
        CustomParser = result => ParseTokens(result.Tokens[0].Value, result.AddError),
    };

    private readonly Option<int> _steps = WholeNumber.Option("--steps", "how many tokens to generate");

    public GenerateCommand(Terminal terminal)
    {
        _terminal = terminal;
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

    private static int[] ParseTokens(string text, Action<string> refuse)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var tokens = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out tokens[i]))
            {
                refuse($"--tokens: '{parts[i]}' is not a token id; expected whole numbers with commas, such as 1,2,0");
                break;
            }
        }

        return tokens;
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
