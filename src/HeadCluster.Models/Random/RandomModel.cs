namespace HeadCluster.Models;

/// <summary>Attention layers of random weights, made piece by piece as they are asked for; nothing is kept.</summary>
internal sealed class RandomModel : Model
{
    private readonly RandomShape _shape;

    private RandomModel(RandomShape shape)
    {
        _shape = shape;
        Configuration = new()
        {
            LayerCount = shape.Layers,
            ModelDim = shape.ModelDim,
            HeadCount = shape.Heads,
            KvHeadCount = shape.KvHeads,
            HeadDim = shape.HeadDim,
            ValueDim = shape.HeadDim,
            MaxSequenceLength = shape.Positions,
            Causal = true,
            Scale = AttentionScale.Of(shape.HeadDim),
        };
    }

    // The numbers are part of what the weights are made of.
    private enum Projection
    {
        Query = 0,
        Key = 2,
        Value = 4,
        Output = 6,
    }

    public override ModelConfiguration Configuration { get; }

    /// <summary>Opens the model of a location such as <c>random:gpt2-small</c>.</summary>
    /// <exception cref="ModelException">There is no such shape, or it is too large.</exception>
    public static RandomModel Open(string location)
    {
        var model = new RandomModel(RandomShape.Parse(location));
        model.Configuration.ExpectArraysHold(Quote.Text(location));
        return model;
    }

    public override HeadWeights ReadHead(int layer, int kvHead)
    {
        CheckHead(layer, kvHead);
        var queryDim = Configuration.QueryHeadsPerKvHead * _shape.HeadDim;
        return new(
            Linear(layer, Projection.Query, _shape.ModelDim, kvHead * queryDim, queryDim),
            Linear(layer, Projection.Key, _shape.ModelDim, kvHead * _shape.HeadDim, _shape.HeadDim),
            Linear(layer, Projection.Value, _shape.ModelDim, kvHead * _shape.HeadDim, _shape.HeadDim));
    }

    public override LinearWeights ReadOutputProjection(int layer)
    {
        CheckLayer(layer);
        return Linear(layer, Projection.Output, _shape.Heads * _shape.HeadDim, 0, _shape.ModelDim);
    }

    public override BlockWeights ReadBlock(int layer)
    {
        CheckLayer(layer);
        throw OnlyAttention();
    }

    public override TransformerWeights ReadTransformer() => throw OnlyAttention();

    /// <summary>Some outputs of a projection. Weights have the variance 1 / inputs, so that outputs are as large as inputs.</summary>
    private LinearWeights Linear(int layer, Projection projection, int inputs, int firstOutput, int outputs)
    {
        var matrix = new RandomMatrix(_shape.Seed, layer, (int)projection, 1f / inputs);
        return new(inputs, outputs, WeightOrder.InputsFirst, Fill, _shape.Bias ? Bias(layer, projection, inputs, firstOutput, outputs) : null);

        void Fill(MatrixSlice slice, Span<float> destination)
        {
            for (var row = 0; row < slice.Rows; row++)
            {
                var columns = destination.Slice(row * slice.Columns, slice.Columns);
                matrix.Fill((int)slice.FirstRow + row, firstOutput + (int)slice.FirstColumn, columns);
            }
        }
    }

    private float[] Bias(int layer, Projection projection, int inputs, int firstOutput, int outputs)
    {
        var bias = new float[outputs];
        new RandomMatrix(_shape.Seed, layer, (int)projection + 1, 1f / inputs).Fill(row: 0, firstOutput, bias);
        return bias;
    }
}
