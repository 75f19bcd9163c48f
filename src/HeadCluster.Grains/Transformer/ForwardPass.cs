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

    /// <summary>Computes the logits of every position. The request has been checked.</summary>
    public async Task<ForwardResult> RunAsync(ForwardRequest request, int[] sequenceLengths, CancellationToken cancellationToken)
    {
        var rows = request.Tokens.Length;
        var width = _body.Model.ModelDim;
        var reports = new HeadReport[_layers.Length][];
        var attended = 0;
        var blocks = request.Capture.HasFlag(ForwardCapture.Blocks) ? new FloatTensor[_layers.Length] : null;

        // The residual stream, [rows, width].
        var x = ArrayPool<float>.Shared.Rent(rows * width);
        try
        {
            _body.Embed(request.Tokens, sequenceLengths, x);
            for (var layer = 0; layer < _layers.Length; layer++)
            {
                var attention = await AttendAsync(layer, x, rows, sequenceLengths, request.Patterns, cancellationToken);
                reports[layer] = attention.Heads;
                attended++;
                await FinishBlockAsync(layer, attention.Output, x, rows, cancellationToken);
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
            await WeightRelease.AllAsync(_layers[..attended]);
            throw;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(x);
        }
    }

    private Task<AttentionResult> AttendAsync(
        int layer, float[] x, int rows, int[] sequenceLengths, PatternSelection? patterns, CancellationToken cancellationToken)
    {
        var width = _body.Model.ModelDim;
        var input = GC.AllocateUninitializedArray<float>(rows * width);
        _body.NormalizeForAttention(layer, x, rows, input);
        var request = new AttentionRequest(new FloatTensor(input, rows, width), sequenceLengths, patterns);
        return _layers[layer].AttendAsync(request, cancellationToken);
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
