using System.CommandLine;
using HeadCluster.Cli.Files;
using HeadCluster.Cli.Output;
using HeadCluster.Cli.Patterns;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster heads</c>: runs a prompt once and tells of every head what it attends to.</summary>
internal sealed class HeadsCommand
{
    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string> _model = new("--model") { Description = "The model's name.", HelpName = "name", Required = true };
    private readonly Option<int[]> _tokens = TokenIds.Option();
    private readonly Option<int> _layer = WholeNumber.Option("--layer", "a layer, from 0");
    private readonly Option<string?> _circuitsVis = new("--circuitsvis") { Description = "Also write the patterns for CircuitsVis to this file.", HelpName = "file" };
    private readonly Option<string?> _bertViz = new("--bertviz") { Description = "Also write the patterns for BertViz to this file.", HelpName = "file" };

    public HeadsCommand(Terminal terminal)
    {
        _terminal = terminal;
        _tokens.Required = true;
        _layer.Description = "Only the heads of this layer, from 0 (all).";
        _layer.HelpName = "index";
    }

    public Command Create()
    {
        var command = new Command("heads", "Scores every head by its attention pattern on a prompt: previous token, induction and the like.")
        {
            _model,
            _tokens,
            _layer,
            _circuitsVis,
            _bertViz,
        };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (circuitsVis, bertViz) = (Writable(parsed, _circuitsVis), Writable(parsed, _bertViz));
        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var model = parsed.GetRequiredValue(_model);
        var tokens = parsed.GetRequiredValue(_tokens);
        var selection = new PatternSelection(Layers: parsed.GetResult(_layer) is null ? null : [parsed.GetValue(_layer)]);
        var result = await _cluster.WaitAsync(
            parsed,
            "Loading heads and attending",
            () => session.Client.ForwardAsync(model, new ForwardRequest(tokens, Patterns: selection), cancellationToken));

        var prompt = new PromptPatterns(tokens, result);
        if (circuitsVis is not null)
        {
            PatternFile.WriteCircuitsVis(circuitsVis, prompt);
        }

        if (bertViz is not null)
        {
            PatternFile.WriteBertViz(bertViz, prompt);
        }

        var answer = HeadScoresAnswer.Of(model, prompt);
        if (_cluster.WantsJson(parsed))
        {
            _terminal.WriteJson(answer, AnswerJson.Default.HeadScoresAnswer);
            return ExitCode.Success;
        }

        _terminal.Write(answer.Tabulate());
        if (answer.Strongest.Count > 0)
        {
            _terminal.WriteLine($"  {answer.NameStrongest()}");
        }

        foreach (var (score, why) in answer.LeftOut)
        {
            _terminal.WriteLine($"  {score} is left out: {why}");
        }

        return ExitCode.Success;
    }

    private static string? Writable(ParseResult parsed, Option<string?> option)
    {
        var path = parsed.GetValue(option);
        if (path is not null)
        {
            OutputFile.CheckWritable(path, option.Name);
        }

        return path;
    }
}
