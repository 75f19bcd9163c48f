using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Heads;

public sealed class AttentionHeadTests
{
    private const int Rows = 21;
    private static readonly HeadShape Shape = new(ModelDim: 24, QueryHeads: 3, HeadDim: 10, ValueDim: 7);
    private static readonly AttentionOptions Options = new(AttentionOptions.DefaultScale(10), Causal: true);
    private static readonly float[] X = Data.Noise(1, Rows * 24);
    private static readonly LinearPart Query = new(30, Data.Noise(2, 24 * 30), Data.Noise(3, 30));
    private static readonly LinearPart Key = new(10, Data.Noise(4, 24 * 10), Data.Noise(5, 10));
    private static readonly LinearPart Value = new(7, Data.Noise(6, 24 * 7), Data.Noise(7, 7));

    [Fact]
    public void Head_equals_its_definition_for_each_query_head()
    {
        var (output, pattern) = (new float[Rows * 21], new float[3 * Rows * Rows]);
        var head = new AttentionHead(Shape, Options, Query, Key, Value);
        using var projected = head.Project(X, Rows);
        head.Attend(projected, [Rows], output, Shape.OutputDim);
        head.Pattern(projected, 0, Rows, pattern);

        var (keys, values) = (Defined(Key), Defined(Value));
        for (var query = 0; query < 3; query++)
        {
            LinearPart part = new(10, Data.Columns(Query.Weights.Span, 30, query * 10, 10), Query.Bias.Slice(query * 10, 10));
            var scores = AttentionDefinition.Scores<double>(Defined(part), keys, Rows, Rows, 10, Options.Scale, true, 0, 0, []);
            var expected = AttentionDefinition.Pattern<double>(scores, Rows, Rows);
            Tolerance.Sum.Check(expected, pattern.AsSpan(query * Rows * Rows, Rows * Rows));
            Tolerance.Sum.Check(AttentionDefinition.Mix<double>(expected, values, Rows, Rows, 7), Data.Columns(output, 21, query * 7, 7));
        }
    }

    [Fact]
    public void Sequences_side_by_side_have_the_bits_of_each_alone()
    {
        var together = Attend(X, [8, 0, 1, 12]);
        Data.SameBits(together.AsSpan(0, 8 * 21), Attend(X[..(8 * 24)], [8]));
        Data.SameBits(together.AsSpan(8 * 21, 21), Attend(X[(8 * 24)..(9 * 24)], [1]));
        Data.SameBits(together.AsSpan(9 * 21), Attend(X[(9 * 24)..], [12]));
    }

    [Fact]
    public void A_sequence_without_rows_may_come_last_where_the_output_ends_with_the_heads_columns()
    {
        var head = new AttentionHead(Shape, Options, Query, Key, Value);
        using var projected = head.Project(X, Rows);
        var z = new float[Rows * 2 * 21];

        head.Attend(projected, [Rows, 0], z.AsSpan(21), 2 * 21);
        head.LargestOfPattern(projected, firstRow: Rows, length: 0, count: 1, [], []);

        Data.SameBits(Data.Columns(z, 2 * 21, 21, 21), Attend(X, [Rows]));
    }

    [Fact]
    public void Grouped_queries_have_the_bits_of_heads_that_repeat_the_keys()
    {
        var grouped = Attend(X, [Rows]);
        for (var query = 0; query < 3; query++)
        {
            LinearPart part = new(10, Data.Columns(Query.Weights.Span, 30, query * 10, 10), Query.Bias.Slice(query * 10, 10));
            var alone = new AttentionHead(Shape with { QueryHeads = 1 }, Options, part, Key, Value);
            Data.SameBits(Data.Columns(grouped, 21, query * 7, 7), Attend(alone, X, [Rows]));
        }
    }

    [Fact]
    public void Head_of_matrices_or_lengths_that_do_not_fit_throws()
    {
        Assert.Throws<ArgumentException>(() => new AttentionHead(Shape, Options, Key, Key, Value));
        Assert.Throws<ArgumentException>(() => new AttentionHead(Shape, Options, Query, Value, Value));
        Assert.Throws<ArgumentException>(() => Attend(X, [Rows - 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Attend(X, [Rows + 1, -1]));
        Assert.Throws<ArgumentException>(() => new AttentionHead(Shape, Options, Query, Key, Value).Project(X, Rows + 1));
    }

    [Fact]
    public void Cache_of_another_shape_or_an_output_too_short_throws_and_nothing_is_appended()
    {
        var head = new AttentionHead(Shape, Options, Query, Key, Value);
        using var projected = head.Project(X, Rows);
        using KvCache wideKeys = new(11, 7, Rows), narrowKeys = new(9, 7, Rows), wideValues = new(10, 8, Rows), narrowValues = new(10, 6, Rows);
        foreach (var other in (KvCache[])[wideKeys, narrowKeys, wideValues, narrowValues])
        {
            Assert.Throws<ArgumentException>(() => head.Attend(projected, 0, 4, other, new float[4 * 21], 21));
            Assert.Equal(0, other.Length);
        }

        using var own = head.CreateCache(Rows);
        Assert.Throws<ArgumentException>(() => head.Attend(projected, 0, 4, own, new float[(4 * 21) - 1], 21));
        Assert.Equal(0, own.Length);
        head.Attend(projected, 0, 4, own, new float[(3 * 30) + 21], 30);
        Assert.Equal(4, own.Length);
    }

    private static double[] Defined(LinearPart part) => AttentionDefinition.Linear<double>(
        Data.Widen(X), Data.Widen(part.Weights.Span), Data.Widen(part.Bias.Span), Rows, 24, part.Outputs);

    private static float[] Attend(float[] x, int[] lengths) => Attend(new AttentionHead(Shape, Options, Query, Key, Value), x, lengths);

    private static float[] Attend(AttentionHead head, float[] x, int[] lengths)
    {
        using var projected = head.Project(x, x.Length / 24);
        var output = new float[x.Length / 24 * head.Shape.OutputDim];
        head.Attend(projected, lengths, output, head.Shape.OutputDim);
        return output;
    }
}
