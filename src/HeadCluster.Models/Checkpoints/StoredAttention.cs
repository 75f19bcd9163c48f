namespace HeadCluster.Models;

/// <summary>The projections of one attention layer in a file, heads side by side.</summary>
internal sealed record StoredAttention(StoredLinear Query, StoredLinear Key, StoredLinear Value, StoredLinear Output)
{
    /// <summary>The parts of a projection whose outputs are all queries, then all keys, then all values, each ModelDim wide.</summary>
    public static StoredAttention Fused(StoredLinear projection, StoredLinear output)
    {
        var dim = projection.Inputs;
        return new(projection.Part(0, dim), projection.Part(dim, dim), projection.Part(2 * dim, dim), output);
    }

    /// <summary>The weight matrices.</summary>
    public IEnumerable<StoredTensor> Matrices => [Query.Weights, Key.Weights, Value.Weights, Output.Weights];

    /// <summary>Reads one key/value head's columns, and those of the query heads that read it.</summary>
    public HeadWeights ReadHead(ModelConfiguration model, int kvHead)
    {
        var queryDim = model.QueryHeadsPerKvHead * model.HeadDim;
        return new(
            Query.Part(kvHead * queryDim, queryDim).Read(),
            Key.Part(kvHead * model.HeadDim, model.HeadDim).Read(),
            Value.Part(kvHead * model.ValueDim, model.ValueDim).Read());
    }
}
