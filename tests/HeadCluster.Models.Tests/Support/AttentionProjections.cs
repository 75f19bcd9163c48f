namespace HeadCluster.Models.Tests;

/// <summary>The projections of one layer, from which every layout is written and against which what is read is compared.</summary>
internal sealed record AttentionProjections(Matrix Query, Matrix Key, Matrix Value, Matrix Output, int KvHeads)
{
    public static AttentionProjections Create(int layer, int modelDim, int heads, int kvHeads, int headDim, int valueDim, bool bias) => new(
        new Matrix((10 * layer) + 1, modelDim, heads * headDim, bias),
        new Matrix((10 * layer) + 2, modelDim, kvHeads * headDim, bias),
        new Matrix((10 * layer) + 3, modelDim, kvHeads * valueDim, bias),
        new Matrix((10 * layer) + 4, heads * valueDim, modelDim, bias),
        kvHeads);

    public void AssertHead(HeadWeights actual, int kvHead)
    {
        AssertShare(Query, actual.Query, kvHead);
        AssertShare(Key, actual.Key, kvHead);
        AssertShare(Value, actual.Value, kvHead);
    }

    /// <summary>q, k and v one below the other, as fused layouts have them: <c>[3d, d]</c>.</summary>
    public IEnumerable<NamedTensor> FusedOutputsFirst(string weights, string bias)
    {
        var dim = Query.Inputs;
        yield return new(weights, [3 * dim, dim], (float[])[.. Query.OutputsFirst, .. Key.OutputsFirst, .. Value.OutputsFirst]);
        if (Query.Bias is not null)
        {
            yield return new(bias, [3 * dim], (float[])[.. Query.Bias, .. Key.Bias!, .. Value.Bias!]);
        }
    }

    /// <summary>q, k and v side by side: <c>[d, 3d]</c>.</summary>
    public IEnumerable<NamedTensor> FusedInputsFirst(string weights, string bias)
    {
        var dim = Query.Inputs;
        var rows = Enumerable.Range(0, dim).SelectMany(row => new[] { Query, Key, Value }
            .SelectMany(part => part.InputsFirst.Skip(row * dim).Take(dim)));
        return FusedOutputsFirst(weights, bias).Skip(1).Prepend(new(weights, [dim, 3 * dim], rows.ToArray()));
    }

    private void AssertShare(Matrix whole, LinearWeights actual, int kvHead)
    {
        var share = whole.Outputs / KvHeads;
        whole.AssertPart(actual, kvHead * share, share);
    }
}
