using CsCheck;
using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Attention;

/// <summary>One attention problem: its sizes and options, inputs that follow from a seed, its kernel result and its definition.</summary>
internal sealed record AttentionCase(
    int HeadDim,
    int ValueDim,
    int Rows,
    int FirstPosition,
    int Keys,
    AttentionOptions Options,
    MaskKind Mask,
    int MaskColumns,
    int Seed)
{
    private static readonly Gen<int> Lengths = Gen.Frequency(
        (3, Gen.Int[1, 40]),
        (2, Gen.OneOf(AttentionKernel.BlockKeys - 1, AttentionKernel.BlockKeys, AttentionKernel.BlockKeys + 1, (2 * AttentionKernel.BlockKeys) + 88)));

    /// <summary>Any sizes: past keys, keys ahead of the queries, masks that are shorter or longer than the keys.</summary>
    public static Gen<AttentionCase> Any { get; } =
        from headDim in Gen.Int[1, 70]
        from valueDim in Gen.Int[1, 140]
        from rows in Gen.Int[1, (2 * AttentionTile.MaxRows) + 1]
        from keys in Lengths
        from firstPosition in Gen.Int[0, keys + 5]
        from causal in Gen.Bool
        from softcap in Gen.OneOf(0f, 0f, 2f, 30f)
        from scale in Gen.OneOf(AttentionOptions.DefaultScale(headDim), 0.1f, 1f)
        from mask in Gen.Enum<MaskKind>()
        from maskColumns in Gen.Int[1, keys + 3]
        from seed in Gen.Int[0, 100_000]
        select new AttentionCase(
            headDim, valueDim, rows, firstPosition, keys, new AttentionOptions(scale, causal, softcap), mask, maskColumns, seed);

    public float[] Queries => Data.Noise(Seed, Rows * HeadDim);

    public float[] KeyRows => Data.Noise(Seed + 1, Keys * HeadDim);

    public float[] ValueRows => Data.Noise(Seed + 2, Keys * ValueDim);

    // A row in five sees nothing, the others about two keys in three.
    private bool[] Visible =>
        [.. Data.Noise(Seed + 3, Rows * MaskColumns).Select((value, i) => value > -0.3f && ((i / MaskColumns) + Seed) % 5 != 0)];

    private float[] Bias => [.. Data.Noise(Seed + 4, Rows * MaskColumns, 3).Zip(Visible, (bias, seen) => seen ? bias : float.NegativeInfinity)];

    public KvCache Cache(int? length = null)
    {
        var cache = new KvCache(HeadDim, ValueDim, Keys);
        cache.Append(KeyRows, HeadDim, ValueRows, ValueDim, length ?? Keys);
        return cache;
    }

    /// <summary>The mask of the rows from <paramref name="row"/> on.</summary>
    public AttentionMask MaskFrom(int row = 0) => Mask switch
    {
        MaskKind.Boolean => AttentionMask.Boolean(Visible.AsSpan(row * MaskColumns), MaskColumns),
        MaskKind.Additive => AttentionMask.Additive(Bias.AsSpan(row * MaskColumns), MaskColumns),
        _ => AttentionMask.None,
    };

    public float[] Attend()
    {
        using var cache = Cache();
        using Guarded queries = new(Queries), output = new(Rows * ValueDim);
        AttentionKernel.Attend(queries.Span, HeadDim, Rows, FirstPosition, cache, Options, MaskFrom(), output.Span, ValueDim);
        output.Check();
        return output.Span.ToArray();
    }

    public float[] Pattern()
    {
        using var cache = Cache();
        using Guarded queries = new(Queries), pattern = new(Rows * Keys);
        AttentionKernel.Pattern(queries.Span, HeadDim, Rows, FirstPosition, cache, Options, MaskFrom(), pattern.Span);
        pattern.Check();
        return pattern.Span.ToArray();
    }

    /// <summary>What <see cref="Attend"/> has to be to the bit.</summary>
    public float[] ContractOutput()
    {
        var (queries, keys, values, mask) = (Queries, KeyRows, ValueRows, DefinedMask());
        var output = new float[Rows * ValueDim];
        for (var row = 0; row < Rows; row++)
        {
            var seen = Options.Causal ? Math.Min(Keys, FirstPosition + row + 1) : Keys;
            float[] bias = mask.Length == 0 ? new float[seen] : [.. mask.Skip(row * Keys).Take(seen).Select(value => (float)value)];
            AttentionContract.Attend(queries.AsSpan(row * HeadDim, HeadDim), keys, values, ValueDim, Options, bias).CopyTo(output, row * ValueDim);
        }

        return output;
    }

    public double[] DefinedPattern()
    {
        var scores = AttentionDefinition.Scores<double>(
            Data.Widen(Queries),
            Data.Widen(KeyRows),
            Rows,
            Keys,
            HeadDim,
            Options.Scale,
            Options.Causal,
            FirstPosition,
            Options.Softcap,
            DefinedMask());
        return AttentionDefinition.Pattern<double>(scores, Rows, Keys);
    }

    public double[] DefinedOutput() => AttentionDefinition.Mix<double>(DefinedPattern(), Data.Widen(ValueRows), Rows, Keys, ValueDim);

    // [Rows, Keys], added to the scores.
    private double[] DefinedMask()
    {
        if (Mask == MaskKind.None)
        {
            return [];
        }

        var (visible, bias) = (Visible, Bias);
        var mask = new double[Rows * Keys];
        for (var i = 0; i < mask.Length; i++)
        {
            var (row, key) = Math.DivRem(i, Keys);
            var at = (row * MaskColumns) + key;
            mask[i] = key >= MaskColumns || !visible[at] ? double.NegativeInfinity : Mask == MaskKind.Additive ? bias[at] : 0;
        }

        return mask;
    }
}

/// <summary>The kinds of mask.</summary>
internal enum MaskKind
{
    None,
    Boolean,
    Additive,
}
