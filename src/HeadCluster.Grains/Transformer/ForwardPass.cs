using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>One pass of one or more sequences through a GPT, its attention computed by the layers' grains.</summary>
internal sealed class ForwardPass
{
    private readonly string _model;
    private readonly TransformerBody _body;
    private readonly IMultiHeadAttentionGrain[] _layers;
    private readonly ComputePool _compute;
    private readonly TimeProvider _time;

    public ForwardPass(string model, TransformerBody body, IMultiHeadAttentionGrain[] layers, ComputePool compute, TimeProvider time)
    {
        _model = model;
        _body = body;
        _layers = layers;
        _compute = compute;
        _time = time;
    }

    /// <summary>Layers whose attention is done, in the pass that runs or ran last.</summary>
    public int Attended { get; private set; }

    /// <summary>Runs tokens through all layers, and computes the logits of the last of them. The request has been checked.</summary>
    /// <param name="request">The tokens.</param>
    /// <param name="sequenceLengths">Tokens of each sequence.</param>
    /// <param name="sequence">The sequence that the tokens go on with; null for sequences that are whole.</param>
    /// <param name="logits">How many of the last tokens get logits, 1 or more.</param>
    /// <param name="deadline">Ends it.</param>
    /// <exception cref="HeadClusterException">A layer refused, or what it would get is not finite.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up, or the time has passed.</exception>
    public async Task<ForwardResult> RunAsync(ForwardRequest request, int[] sequenceLengths, CachedSequence? sequence, int logits, Deadline deadline)
    {
        var cancellationToken = deadline.Token;
        var rows = request.Tokens.Length;
        var width = _body.Model.ModelDim;
        var reports = new HeadReport[_layers.Length][];
        Attended = 0;
        var times = new LayerReport[_layers.Length];
        var blocks = request.Capture.HasFlag(ForwardCapture.Blocks) ? new FloatTensor[_layers.Length] : null;

        // The residual stream, [rows, width].
        var stream = FloatTensor.Rent(out var x, rows, width);
        try
        {
            _body.Embed(request.Tokens, sequenceLengths, firstPosition: sequence?.Past ?? 0, x);
            for (var layer = 0; layer < _layers.Length; layer++)
            {
                // Small layers are computed without a look at the token.
                cancellationToken.ThrowIfCancellationRequested();
                (reports[layer], times[layer]) = await RunBlockAsync(layer, x, rows, sequenceLengths, sequence, request.Patterns, deadline);
                Attended++;
                if (blocks is not null)
                {
                    blocks[layer] = new FloatTensor(x[..(rows * width)], rows, width);
                }
            }

            return new ForwardResult(await LogitsAsync(x.AsMemory((rows - logits) * width, logits * width), logits, cancellationToken), reports, blocks) { Times = times };
        }
        finally
        {
            stream.Release();
        }
    }

    /// <summary>The error of a model whose weights give numbers that are none.</summary>
    /// <param name="what">What is not finite.</param>
    public HeadClusterException NotFinite(string what) => new(
        HeadClusterErrorKind.InvalidModel, $"model '{_model}': {what} is not finite; its weights are too large");

    private async Task<(HeadReport[] Heads, LayerReport Times)> RunBlockAsync(
        int layer, float[] x, int rows, int[] sequenceLengths, CachedSequence? sequence, PatternSelection? patterns, Deadline deadline)
    {
        using var span = ModelInstruments.StartLayer(_model, layer);
        var attention = await span.WatchAsync(AttendAsync(layer, x, rows, sequenceLengths, sequence, patterns, deadline));
        var attended = _time.GetTimestamp();
        await span.WatchAsync(FinishBlockAsync(layer, attention.Output, x, rows, deadline.Token));
        attention.Output.Release();
        var feedForward = _time.GetElapsedTime(attended);
        return (attention.Heads, new LayerReport(attention.Silos, attention.Elapsed, attention.OutputProjection, feedForward));
    }

    // Whatever the call makes current, such as a span of Orleans' own, is not so for who awaits this.
    private async Task<AttentionResult> AttendAsync(
        int layer, float[] x, int rows, int[] sequenceLengths, CachedSequence? sequence, PatternSelection? patterns, Deadline deadline)
    {
        var width = _body.Model.ModelDim;
        var input = GC.AllocateUninitializedArray<float>(rows * width);
        _body.NormalizeForAttention(layer, x, rows, input);
        var grain = _layers[layer];
        var lengths = SequenceInput.Travelling(sequenceLengths, sequence);
        var request = new AttentionRequest(new FloatTensor(input, rows, width), lengths, patterns, Guid.NewGuid(), Sequence: sequence);
        try
        {
            return await RepeatedCall.FirstAsync(end => grain.AttendAsync(request with { TimeLimit = deadline.Remaining }, end), IsLostAsync, _time, deadline.AnswersToken);
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.InvalidInput && NonFinite.IndexOf(input) >= 0)
        {
            // It is not the caller's, whose tokens have been checked.
            throw NotFinite($"what layer {layer} gets");
        }

        // One that cannot be asked may still be serving.
        async Task<bool> IsLostAsync(CancellationToken end)
        {
            try
            {
                return !await grain.IsServingAsync(request.Id, end);
            }
            catch (Exception exception) when (exception is TimeoutException or OrleansException)
            {
                return false;
            }
        }
    }

    private async Task FinishBlockAsync(int layer, FloatTensor attention, float[] x, int rows, CancellationToken cancellationToken)
    {
        using var span = new SpanScope(Spans.StartLeaf("feed_forward"));
        await span.WatchAsync(_body.FinishBlockAsync(
            _compute, layer, attention.Memory, x.AsMemory(0, rows * _body.Model.ModelDim), rows, cancellationToken));
    }

    private async Task<FloatTensor> LogitsAsync(ReadOnlyMemory<float> x, int rows, CancellationToken cancellationToken)
    {
        var logits = GC.AllocateUninitializedArray<float>(rows * _body.VocabularySize);
        await _body.ComputeLogitsAsync(_compute, x, rows, logits, cancellationToken);
        return new FloatTensor(logits, rows, _body.VocabularySize);
    }
}
