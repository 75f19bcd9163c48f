using System.Buffers;
using HeadCluster.Kernels;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>
/// Everything of a GPT but its attention: embeddings, norms, feed-forward layers, logits. Each row is computed by itself, so
/// rows may be split over threads in any way, and a row alone into columns. Immutable and thread-safe.
/// </summary>
internal sealed class TransformerBody
{
    private readonly TransformerConfiguration _configuration;
    private readonly float[] _tokenEmbedding;
    private readonly float[] _positionEmbedding;
    private readonly Block[] _blocks;
    private readonly NormWeights _finalNorm;
    private readonly PackedMatrix _logits;

    /// <summary>Reads and packs the weights.</summary>
    /// <param name="model">A whole GPT.</param>
    public TransformerBody(Model model)
    {
        Model = model.Configuration;
        _configuration = Model.Transformer!;
        _blocks = new Block[Model.LayerCount];
        var format = Model.WeightFormat();
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            var block = model.ReadBlock(layer);
            _blocks[layer] = new Block(block.AttentionNorm, block.FeedForwardNorm, block.Up.Pack(format), block.Down.Pack(format));
        }

        var transformer = model.ReadTransformer();
        _tokenEmbedding = transformer.TokenEmbedding;
        _positionEmbedding = transformer.PositionEmbedding;
        _finalNorm = transformer.FinalNorm;
        _logits = transformer.Logits.Pack(format);
    }

    /// <summary>The model's sizes.</summary>
    public ModelConfiguration Model { get; }

    /// <summary>Number of tokens.</summary>
    public int VocabularySize => _configuration.VocabularySize;

    /// <summary>How everything of a model but its attention is loaded.</summary>
    /// <exception cref="HeadClusterException">There is no such model, its files cannot be read, or it is no whole model.</exception>
    public static WeightLoad<TransformerBody> Plan(ModelCatalog models, string name)
    {
        var model = models.Open(name);
        return model.Configuration.Transformer is not null
            ? new(name, $"model {name}", SizeOf(model.Configuration), () => new TransformerBody(model))
            : throw HeadClusterException.InvalidInput($"model '{name}' is attention layers only; it takes no tokens and gives no logits");
    }

    /// <summary>Memory that the packed weights of a model take, in bytes; embeddings included, norms not.</summary>
    public static long SizeOf(ModelConfiguration model)
    {
        var transformer = model.Transformer!;
        var embeddings = sizeof(float) * (long)model.ModelDim * (transformer.VocabularySize + model.MaxSequenceLength);
        var format = model.WeightFormat();
        var block = PackedMatrix.SizeOf(model.ModelDim, transformer.FeedForwardDim, format)
            + PackedMatrix.SizeOf(transformer.FeedForwardDim, model.ModelDim, format);
        return embeddings + (model.LayerCount * block) + PackedMatrix.SizeOf(model.ModelDim, transformer.VocabularySize, format);
    }

    /// <summary>x[row] = embedding of the token + embedding of its position in its sequence.</summary>
    /// <param name="tokens">Token ids, the sequences one after the other.</param>
    /// <param name="sequenceLengths">Tokens of each sequence.</param>
    /// <param name="firstPosition">Where in its sequence the first token of each stands.</param>
    /// <param name="x"><c>[tokens, ModelDim]</c>.</param>
    public void Embed(ReadOnlySpan<int> tokens, ReadOnlySpan<int> sequenceLengths, int firstPosition, Span<float> x)
    {
        var row = 0;
        foreach (var length in sequenceLengths)
        {
            for (var position = firstPosition; position < firstPosition + length; position++, row++)
            {
                var token = Row(_tokenEmbedding, tokens[row]);
                var place = Row(_positionEmbedding, position);
                var sum = x.Slice(row * Model.ModelDim, Model.ModelDim);
                token.CopyTo(sum);
                ResidualKernel.Add(place, sum);
            }
        }
    }

    /// <summary>y = LayerNorm(x): what the attention of a layer reads.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x"><c>[rows, ModelDim]</c>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="y"><c>[rows, ModelDim]</c>.</param>
    public void NormalizeForAttention(int layer, ReadOnlySpan<float> x, int rows, Span<float> y) =>
        Normalize(_blocks[layer].AttentionNorm, x, rows, y);

    /// <summary>x += attention; x += Down · GELU(Up · LayerNorm(x)).</summary>
    /// <param name="compute">The threads.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="attention">The layer's attention output, <c>[rows, ModelDim]</c>.</param>
    /// <param name="x">The residual stream, <c>[rows, ModelDim]</c>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="cancellationToken">Checked between panels of columns.</param>
    public Task FinishBlockAsync(
        ComputePool compute, int layer, ReadOnlyMemory<float> attention, Memory<float> x, int rows, CancellationToken cancellationToken)
    {
        var (block, width) = (_blocks[layer], Model.ModelDim);
        return rows == 1
            ? FinishRowAsync(compute, block, attention, x, cancellationToken)
            : compute.RunRowsAsync(
                rows,
                4L * width * _configuration.FeedForwardDim,
                (first, count, token) => FinishRows(
                    block, attention.Span.Slice(first * width, count * width), x.Span.Slice(first * width, count * width), count, token),
                cancellationToken: cancellationToken);
    }

    /// <summary>logits = LayerNorm(x) W.</summary>
    /// <param name="compute">The threads.</param>
    /// <param name="x"><c>[rows, ModelDim]</c>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="logits"><c>[rows, VocabularySize]</c>.</param>
    /// <param name="cancellationToken">Checked between panels of columns.</param>
    public Task ComputeLogitsAsync(
        ComputePool compute, ReadOnlyMemory<float> x, int rows, Memory<float> logits, CancellationToken cancellationToken)
    {
        var (width, vocabulary) = (Model.ModelDim, VocabularySize);
        return rows == 1
            ? ComputeLogitsOfRowAsync(compute, x, logits, cancellationToken)
            : compute.RunRowsAsync(
                rows,
                2L * width * vocabulary,
                (first, count, token) => ComputeLogitsOfRows(
                    x.Span.Slice(first * width, count * width), count, logits.Span.Slice(first * vocabulary, count * vocabulary), token),
                cancellationToken: cancellationToken);
    }

    private void FinishRows(Block block, ReadOnlySpan<float> attention, Span<float> x, int rows, CancellationToken cancellationToken)
    {
        var hidden = ArrayPool<float>.Shared.Rent(rows * block.Up.Outputs);
        var narrow = ArrayPool<float>.Shared.Rent(rows * Model.ModelDim);
        try
        {
            ResidualKernel.Add(attention, x);
            Normalize(block.FeedForwardNorm, x, rows, narrow);
            LinearKernel.Apply(narrow, rows, block.Up, hidden, cancellationToken);
            ApplyGelu(hidden.AsSpan(0, rows * block.Up.Outputs));
            LinearKernel.Apply(hidden, rows, block.Down, narrow, cancellationToken);
            ResidualKernel.Add(narrow.AsSpan(0, x.Length), x);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(hidden);
            ArrayPool<float>.Shared.Return(narrow);
        }
    }

    // Memory sets the pace of a row alone: split into columns, each weight is read once, by whichever thread.
    private async Task FinishRowAsync(
        ComputePool compute, Block block, ReadOnlyMemory<float> attention, Memory<float> x, CancellationToken cancellationToken)
    {
        var (up, down) = (new ProductParts(rows: 1, block.Up, compute.ThreadCount), new ProductParts(rows: 1, block.Down, compute.ThreadCount));
        var hidden = ArrayPool<float>.Shared.Rent(block.Up.Outputs);
        var narrow = ArrayPool<float>.Shared.Rent(Model.ModelDim);
        var result = ArrayPool<float>.Shared.Rent(Model.ModelDim);
        try
        {
            ResidualKernel.Add(attention.Span, x.Span);
            Normalize(block.FeedForwardNorm, x.Span, rows: 1, narrow);
            await compute.RunPartsAsync(
                up.Count + down.Count,
                up.Operations + down.Operations,
                (part, token) =>
                {
                    if (part < up.Count)
                    {
                        up.Compute(part, narrow, hidden, token);
                        ApplyGelu(hidden.AsSpan(up.Columns(part)));
                    }
                    else
                    {
                        down.Compute(part - up.Count, hidden, result, token);
                    }
                },
                leading: up.Count,
                cancellationToken: cancellationToken);
            ResidualKernel.Add(result.AsSpan(0, Model.ModelDim), x.Span);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(hidden);
            ArrayPool<float>.Shared.Return(narrow);
            ArrayPool<float>.Shared.Return(result);
        }
    }

    private void ComputeLogitsOfRows(ReadOnlySpan<float> x, int rows, Span<float> logits, CancellationToken cancellationToken)
    {
        var normal = ArrayPool<float>.Shared.Rent(rows * Model.ModelDim);
        try
        {
            Normalize(_finalNorm, x, rows, normal);
            LinearKernel.Apply(normal, rows, _logits, logits, cancellationToken);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(normal);
        }
    }

    private async Task ComputeLogitsOfRowAsync(
        ComputePool compute, ReadOnlyMemory<float> x, Memory<float> logits, CancellationToken cancellationToken)
    {
        var parts = new ProductParts(rows: 1, _logits, compute.ThreadCount);
        var normal = ArrayPool<float>.Shared.Rent(Model.ModelDim);
        try
        {
            Normalize(_finalNorm, x.Span, rows: 1, normal);
            await compute.RunPartsAsync(
                parts.Count, parts.Operations, (part, token) => parts.Compute(part, normal, logits.Span, token), cancellationToken: cancellationToken);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(normal);
        }
    }

    private void Normalize(NormWeights norm, ReadOnlySpan<float> x, int rows, Span<float> y) =>
        LayerNormKernel.Apply(x, rows, norm.Scale, norm.Bias, _configuration.NormEpsilon, y);

    private void ApplyGelu(Span<float> values)
    {
        if (_configuration.Activation == Activation.GeluTanh)
        {
            GeluKernel.ApplyTanh(values, values);
        }
        else
        {
            GeluKernel.ApplyErf(values, values);
        }
    }

    private ReadOnlySpan<float> Row(float[] table, int row) => table.AsSpan(row * Model.ModelDim, Model.ModelDim);

    private sealed record Block(NormWeights AttentionNorm, NormWeights FeedForwardNorm, PackedMatrix Up, PackedMatrix Down);
}
