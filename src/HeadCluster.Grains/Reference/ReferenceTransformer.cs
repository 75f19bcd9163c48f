using System.Numerics;
using HeadCluster.Kernels.Definition;
using HeadCluster.Models;

namespace HeadCluster.Reference;

/// <summary>
/// The same model on one thread in plain loops, by the definitions and without a kernel, grain or silo: what the cluster's
/// answers are compared with. In float or double.
/// </summary>
public sealed class ReferenceTransformer
{
    private readonly Model _model;
    private readonly ModelConfiguration _configuration;

    /// <summary>Reads its weights from <paramref name="model"/> whenever it needs them, and does not dispose it.</summary>
    public ReferenceTransformer(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _configuration = model.Configuration;
    }

    /// <summary>The logits of every position of one sequence.</summary>
    /// <param name="tokens">Token ids.</param>
    /// <returns><c>[tokens, VocabularySize]</c>.</returns>
    /// <exception cref="InvalidOperationException">The model is attention layers only.</exception>
    public T[] Logits<T>(ReadOnlySpan<int> tokens)
        where T : IFloatingPointIeee754<T>
    {
        var transformer = _configuration.Transformer ?? throw new InvalidOperationException("the model is attention layers only");
        var epsilon = T.CreateChecked(transformer.NormEpsilon);
        var weights = _model.ReadTransformer();

        var x = Embed<T>(weights, tokens);
        for (var layer = 0; layer < _configuration.LayerCount; layer++)
        {
            var block = _model.ReadBlock(layer);
            Add(x, Attention<T>(layer, Normalize(x, block.AttentionNorm, epsilon), [tokens.Length]));

            var hidden = Linear(Normalize(x, block.FeedForwardNorm, epsilon), block.Up);
            for (var i = 0; i < hidden.Length; i++)
            {
                hidden[i] = transformer.Activation == Activation.GeluTanh
                    ? TransformerDefinition.GeluTanh(hidden[i])
                    : TransformerDefinition.GeluErf(hidden[i]);
            }

            Add(x, Linear(hidden, block.Down));
        }

        return Linear(Normalize(x, weights.FinalNorm, epsilon), weights.Logits);
    }

    /// <summary>The attention output of one layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x"><c>[rows, ModelDim]</c>: the sequences one after the other.</param>
    /// <param name="sequenceLengths">Rows of each sequence.</param>
    /// <returns>y, <c>[rows, ModelDim]</c>.</returns>
    public T[] Attention<T>(int layer, ReadOnlySpan<T> x, ReadOnlySpan<int> sequenceLengths)
        where T : IFloatingPointIeee754<T>
    {
        var width = _configuration.HeadCount * _configuration.ValueDim;
        var z = new T[x.Length / _configuration.ModelDim * width];
        for (var head = 0; head < _configuration.HeadCount; head++)
        {
            var output = Head(layer, head, x, sequenceLengths);
            for (var i = 0; i < output.Length; i++)
            {
                var (row, column) = Math.DivRem(i, _configuration.ValueDim);
                z[(row * width) + (head * _configuration.ValueDim) + column] = output[i];
            }
        }

        return Linear<T>(z, _model.ReadOutputProjection(layer));
    }

    // z of one query head, [rows, ValueDim].
    private T[] Head<T>(int layer, int head, ReadOnlySpan<T> x, ReadOnlySpan<int> sequenceLengths)
        where T : IFloatingPointIeee754<T>
    {
        var (kvHead, place) = Math.DivRem(head, _configuration.QueryHeadsPerKvHead);
        var weights = _model.ReadHead(layer, kvHead);
        var (headDim, valueDim) = (_configuration.HeadDim, _configuration.ValueDim);
        var allQueries = Linear(x, weights.Query);
        var keys = Linear(x, weights.Key);
        var values = Linear(x, weights.Value);

        var z = new List<T>();
        var first = 0;
        foreach (var rows in sequenceLengths)
        {
            var queries = Columns(allQueries.AsSpan(first * weights.Query.Outputs, rows * weights.Query.Outputs), weights.Query.Outputs, place * headDim, headDim);
            var scores = AttentionDefinition.Scores<T>(
                queries,
                keys.AsSpan(first * headDim, rows * headDim),
                rows,
                keyCount: rows,
                headDim,
                T.CreateChecked(_configuration.Scale),
                _configuration.Causal,
                firstPosition: 0,
                T.CreateChecked(_configuration.Softcap),
                mask: default);
            var pattern = AttentionDefinition.Pattern<T>(scores, rows, rows);
            z.AddRange(AttentionDefinition.Mix<T>(pattern, values.AsSpan(first * valueDim, rows * valueDim), rows, rows, valueDim));
            first += rows;
        }

        return [.. z];
    }

    private T[] Embed<T>(TransformerWeights weights, ReadOnlySpan<int> tokens)
        where T : IFloatingPointIeee754<T>
    {
        var width = _configuration.ModelDim;
        var x = new T[tokens.Length * width];
        for (var i = 0; i < x.Length; i++)
        {
            var (position, column) = Math.DivRem(i, width);
            x[i] = T.CreateChecked(weights.TokenEmbedding[(tokens[position] * width) + column])
                + T.CreateChecked(weights.PositionEmbedding[(position * width) + column]);
        }

        return x;
    }

    private static T[] Normalize<T>(T[] x, NormWeights norm, T epsilon)
        where T : IFloatingPointIeee754<T> =>
        TransformerDefinition.LayerNorm<T>(x, Convert<T>(norm.Scale), Convert<T>(norm.Bias), epsilon);

    private static T[] Linear<T>(ReadOnlySpan<T> x, LinearWeights linear)
        where T : IFloatingPointIeee754<T> =>
        AttentionDefinition.Linear<T>(
            x, Convert<T>(linear.Read()), Convert<T>(linear.Bias), x.Length / linear.Inputs, linear.Inputs, linear.Outputs);

    private static T[] Columns<T>(ReadOnlySpan<T> matrix, int width, int first, int count)
    {
        var columns = new T[matrix.Length / width * count];
        for (var i = 0; i < columns.Length; i++)
        {
            var (row, column) = Math.DivRem(i, count);
            columns[i] = matrix[(row * width) + first + column];
        }

        return columns;
    }

    private static void Add<T>(T[] x, T[] y)
        where T : IFloatingPointIeee754<T>
    {
        for (var i = 0; i < x.Length; i++)
        {
            x[i] += y[i];
        }
    }

    private static T[] Convert<T>(float[]? values)
        where T : IFloatingPointIeee754<T> =>
        values is null ? [] : Array.ConvertAll(values, T.CreateChecked);
}
