using System.CommandLine;
using System.Globalization;
using HeadCluster.Cli.Bench;
using HeadCluster.Cli.Output;
using HeadCluster.Cli.Trace;
using HeadCluster.Client;
using HeadCluster.Silo.CommandLine;

namespace HeadCluster.Cli.Commands;

/// <summary><c>headcluster trace</c>: runs one request and draws where its time went, from what the answer tells of each head.</summary>
internal sealed class TraceCommand
{
    private const int BarWidth = 48;

    private readonly Terminal _terminal;
    private readonly ClusterArguments _cluster = new();
    private readonly Option<string> _model = new("--model") { Description = "The model's name.", HelpName = "name", Required = true };
    private readonly Option<int[]> _tokens = TokenIds.Option();
    private readonly Option<int> _rows = WholeNumber.Option("--rows", "how many rows a layer is given");
    private readonly Option<int> _layer = WholeNumber.Option("--layer", "a layer, from 0");
    private readonly Option<bool> _cold = new("--cold") { Description = "Trace the first request, which loads heads, and not the one after it." };

    public TraceCommand(Terminal terminal)
    {
        _terminal = terminal;
        _tokens.Description = "Run the whole model over these token ids, such as 1,2,0.";
        _rows.Description = "Or run one attention layer over so many random rows.";
        _rows.HelpName = "count";
        _layer.Description = "The layer to run (0), or with --tokens the only one to show.";
        _layer.HelpName = "index";
    }

    public Command Create()
    {
        var command = new Command("trace", "Runs one request and draws where its time went: each head a bar on its silo.")
        {
            _model,
            _tokens,
            _rows,
            _layer,
            _cold,
        };
        _cluster.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var tokens = parsed.GetValue(_tokens) ?? [];
        var givesRows = parsed.GetResult(_rows) is not null;
        if (tokens.Length > 0 == givesRows)
        {
            throw HeadClusterException.InvalidInput("expected either --tokens, for a whole model, or --rows, for one attention layer");
        }

        using var telemetry = _cluster.StartTelemetry(parsed);
        await using var session = await _cluster.OpenAsync(parsed, cancellationToken);
        var answer = await _cluster.WaitAsync(
            parsed,
            "Loading heads and tracing",
            () => givesRows ? TraceLayerAsync(session.Client, parsed, cancellationToken) : TraceModelAsync(session.Client, parsed, tokens, cancellationToken));
        if (_cluster.WantsJson(parsed))
        {
            _terminal.WriteJson(answer, AnswerJson.Default.TraceAnswer);
        }
        else
        {
            Print(answer);
        }

        return ExitCode.Success;
    }

    private async Task<TraceAnswer> TraceModelAsync(HeadClusterClient client, ParseResult parsed, int[] tokens, CancellationToken cancellationToken)
    {
        var model = parsed.GetRequiredValue(_model);
        var shown = await LayersAsync(client, parsed, model, cancellationToken);
        var (result, elapsed) = await TimeAsync(parsed, () => client.ForwardAsync(model, new ForwardRequest(tokens), cancellationToken));
        var names = new SiloNames(await client.StatusAsync(cancellationToken));
        return new TraceAnswer(
            model, tokens.Length, elapsed, [.. shown.Select(layer => LayerTrace.Of(result.Layers[layer], result.Times[layer], names))]);
    }

    private async Task<TraceAnswer> TraceLayerAsync(HeadClusterClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var model = parsed.GetRequiredValue(_model);
        var rows = parsed.GetValue(_rows);
        var described = await client.DescribeAsync(model, cancellationToken);
        if (rows < 1 || rows > described.MaxSequenceLength)
        {
            throw HeadClusterException.InvalidInput(
                $"{_rows.Name} is {rows}; expected 1 to {described.MaxSequenceLength}, the positions of model '{model}'");
        }

        var x = BenchInput.Of(rows, described.ModelDim);
        var (result, elapsed) = await TimeAsync(parsed, () => client.AttendAsync(model, parsed.GetValue(_layer), x, cancellationToken));
        var names = new SiloNames(await client.StatusAsync(cancellationToken));
        var layer = new LayerReport(result.Silos, result.Elapsed, result.OutputProjection, FeedForward: TimeSpan.Zero);
        return new TraceAnswer(model, rows, elapsed, [LayerTrace.Of(result.Heads, layer, names)]);
    }

    private async Task<IEnumerable<int>> LayersAsync(
        HeadClusterClient client, ParseResult parsed, string model, CancellationToken cancellationToken)
    {
        var count = (await client.DescribeAsync(model, cancellationToken)).LayerCount;
        return parsed.GetResult(_layer) is null
            ? Enumerable.Range(0, count)
            : parsed.GetValue(_layer) is var layer && layer >= 0 && layer < count
                ? [layer]
                : throw HeadClusterException.InvalidInput($"{_layer.Name} is {layer}; expected 0 to {count - 1}, the layers of model '{model}'");
    }

    private async Task<(T Result, double Microseconds)> TimeAsync<T>(ParseResult parsed, Func<Task<T>> request)
    {
        if (!parsed.GetValue(_cold))
        {
            await request();
        }

        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var result = await request();
        return (result, time.GetElapsedTime(began).TotalMicroseconds);
    }

    private void Print(TraceAnswer answer)
    {
        var scale = answer.Layers.Max(layer => layer.AttentionMicroseconds + layer.FeedForwardMicroseconds);
        foreach (var layer in answer.Layers)
        {
            _terminal.Write(Waterfall.Draw(layer, scale, BarWidth));
        }

        _terminal.WriteLine($"  {Waterfall.Legend}");
        foreach (var layer in answer.Layers)
        {
            _terminal.WriteLine(Waterfall.Explain(layer));
        }

        _terminal.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {answer.Rows} rows of {answer.Model}: {answer.ElapsedMicroseconds:0.0} µs, of which {answer.Layers.Sum(layer => layer.AttentionMicroseconds + layer.FeedForwardMicroseconds):0.0} µs in the layers shown"));
    }
}
