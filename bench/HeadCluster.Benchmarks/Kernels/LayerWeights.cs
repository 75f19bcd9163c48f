using HeadCluster.Kernels;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary>Random weights of a layer, spread so that the output is of the size of the input.</summary>
internal sealed class LayerWeights
{
    public LayerWeights(LayerShape shape)
    {
        Shape = shape;
        var random = new Random(1);
        float[] Matrix() => Noise(random, shape.ModelDim * shape.ModelDim, MathF.Sqrt(3f / shape.ModelDim));
        (Query, Key, Value, Output) = (Matrix(), Matrix(), Matrix(), Matrix());
    }

    public LayerShape Shape { get; }

    /// <summary>W_Q, <c>[ModelDim, ModelDim]</c>; columns of head h are h · HeadDim ….</summary>
    public float[] Query { get; }

    /// <summary>W_K, likewise.</summary>
    public float[] Key { get; }

    /// <summary>W_V, likewise.</summary>
    public float[] Value { get; }

    /// <summary>W_O, likewise.</summary>
    public float[] Output { get; }

    public IEnumerable<(string Name, float[] Values)> Matrices =>
        [(nameof(Query), Query), (nameof(Key), Key), (nameof(Value), Value), (nameof(Output), Output)];

    /// <summary>Values spread evenly over ±amplitude.</summary>
    public static float[] Noise(Random random, int length, float amplitude)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            values[i] = ((random.NextSingle() * 2) - 1) * amplitude;
        }

        return values;
    }

    /// <summary>The layer with its weights packed for our kernels.</summary>
    public AttentionLayer Pack()
    {
        var (dim, headDim) = (Shape.ModelDim, Shape.ModelDim / Shape.Heads);
        var options = new AttentionOptions(AttentionOptions.DefaultScale(headDim), Shape.Causal);
        LinearPart Part(float[] matrix, int head) => new(headDim, Columns(matrix, dim, head * headDim, headDim));
        var heads = Enumerable.Range(0, Shape.Heads).Select(head => new AttentionHead(
            new HeadShape(dim, QueryHeads: 1, headDim, headDim), options, Part(Query, head), Part(Key, head), Part(Value, head)));
        return new AttentionLayer(heads, PackedMatrix.Pack(dim, new LinearPart(dim, Output)));
    }

    private static float[] Columns(float[] matrix, int columns, int first, int count)
    {
        var part = new float[matrix.Length / columns * count];
        for (var row = 0; row < matrix.Length / columns; row++)
        {
            matrix.AsSpan((row * columns) + first, count).CopyTo(part.AsSpan(row * count));
        }

        return part;
    }
}
