using System.Buffers;
using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>One pass of one or more sequences through a GPT, its attention computed by the layers' grains.</summary>
internal sealed class ForwardPass
{
    private readonly TransformerBody _body;
    private readonly IMultiHeadAttentionGrain[] _layers;
    private readonly ComputePool _compute;

    public ForwardPass(TransformerBody body, IMultiHeadAttentionGrain[] layers, ComputePool compute)
    {
        _body = body;
        _layers = layers;
        _compute = compute;
    }

    /// <summary>Layers whose attention is done, in the pass that runs or ran last.</summary>
    public int Attended { get; private set; }

    /// <summary>Computes the logits of every position. The request has been checked.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up, or the time has passed.</exception>
    public async Task<ForwardResult> RunAsync(ForwardRequest request, int[] sequenceLengths, Deadline deadline)
    {
        var cancellationToken = deadline.Token;
        var rows = request.Tokens.Length;
        var width = _body.Model.ModelDim;
        var reports = new HeadReport[_layers.Length][];
        Attended = 0;
        var blocks = request.Capture.HasFlag(ForwardCapture.Blocks) ? new FloatTensor[_layers.Length] : null;

        // The residual stream, [rows, width].
        var x = ArrayPool<float>.Shared.Rent(rows * width);
        try
        {
            _body.Embed(request.Tokens, sequenceLengths, x);
            for (var layer = 0; layer < _layers.Length; layer++)
            {
                // Small layers are computed without a look at the token.
                cancellationToken.ThrowIfCancellationRequested();
                var attention = await AttendAsync(layer, x, rows, sequenceLengths, request.Capture, deadline);
                reports[layer] = attention.Heads;
                Attended++;
                await FinishBlockAsync(layer, attention.Output, x, rows, cancellationToken);
                attention.Output.Release();
                if (blocks is not null)
                {
                    blocks[layer] = new FloatTensor(x[..(rows * width)], rows, width);
                }
            }

            return new ForwardResult(await LogitsAsync(x, rows, cancellationToken), reports, blocks);
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.OutOfMemory)
        {
            // The layer that did not fit has let go of its heads itself.
            await WeightRelease.AllAsync(_layers[..Attended]);
            throw;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(x);
        }
    }

    private Task<AttentionResult> AttendAsync(
        int layer, float[] x, int rows, int[] sequenceLengths, ForwardCapture capture, in Deadline deadline)
    {
        var width = _body.Model.ModelDim;
        var input = GC.AllocateUninitializedArray<float>(rows * width);
        _body.NormalizeForAttention(layer, x, rows, input);
        var request = new AttentionRequest(new FloatTensor(input, rows, width), sequenceLengths, capture.HasFlag(ForwardCapture.Patterns), TimeLimit: deadline.Remaining);
        return _layers[layer].AttendAsync(request, deadline.AnswersToken);
    }

    private Task FinishBlockAsync(int layer, FloatTensor attention, float[] x, int rows, CancellationToken cancellationToken)
    {
        var width = _body.Model.ModelDim;
        return _compute.RunRowsAsync(
            rows,
            _body.FeedForwardOperationsPerRow,
            (first, count, token) => _body.FinishBlock(
                layer, attention.Span.Slice(first * width, count * width), x.AsSpan(first * width, count * width), count, token),
            cancellationToken);
    }

    private async Task<FloatTensor> LogitsAsync(float[] x, int rows, CancellationToken cancellationToken)
    {
        var width = _body.Model.ModelDim;
        var vocabulary = _body.VocabularySize;
        var logits = GC.AllocateUninitializedArray<float>(rows * vocabulary);
        await _compute.RunRowsAsync(
            rows,
            _body.LogitsOperationsPerRow,
            (first, count, token) => _body.ComputeLogits(
                x.AsSpan(first * width, count * width), count, logits.AsSpan(first * vocabulary, count * vocabulary), token),
            cancellationToken);
        return new FloatTensor(logits, rows, vocabulary);
    }
}
