using CsCheck;

namespace HeadCluster.Kernels.Tests.Attention;

public sealed class AttentionKernelTests
{
    // Keys that a row alone goes through at a time, in runs side by side: as many blocks as there are rows in a tile.
    private const int AtOnce = AttentionTile.MaxRows * AttentionKernel.BlockKeys;

    [Fact]
    public void Attention_of_any_shape_and_mask_equals_its_definition() =>
        AttentionCase.Any.Sample(problem => Tolerance.Sum.Check(problem.DefinedOutput(), problem.Attend()), iter: 400);

    [Fact]
    public void Pattern_of_any_shape_and_mask_equals_its_definition() =>
        AttentionCase.Any.Sample(problem => Tolerance.Sum.Check(problem.DefinedPattern(), problem.Pattern()), iter: 400);

    [Fact]
    public void Attention_of_any_shape_and_mask_has_the_bits_of_the_contract() =>
        AttentionCase.Any.Sample(problem => Data.SameBits(problem.ContractOutput(), problem.Attend()), iter: 200);

    [Fact]
    public void Attention_row_by_row_has_the_bits_of_all_rows_at_once() => AttentionCase.Any.Sample(
        problem =>
        {
            using var cache = problem.Cache();
            var apart = new float[problem.Rows * problem.ValueDim];
            for (var row = 0; row < problem.Rows; row++)
            {
                AttendAlone(problem, row, cache, apart);
            }

            Data.SameBits(problem.Attend(), apart);
        },
        iter: 300);

    [Theory]
    [InlineData(63)]
    [InlineData(AtOnce - 1)]
    [InlineData(AtOnce)]
    [InlineData(AtOnce + 1)]
    [InlineData(AtOnce + 330)]
    [InlineData((2 * AtOnce) + 350)]
    public void A_row_alone_has_the_bits_that_it_has_beside_another(int keys)
    {
        var problem = Plain(keys) with { Rows = 2, FirstPosition = keys - 2, Options = new AttentionOptions(0.3f, Causal: true) };
        using var cache = problem.Cache();
        var alone = new float[2 * problem.ValueDim];
        AttendAlone(problem, 0, cache, alone);
        AttendAlone(problem, 1, cache, alone);
        Data.SameBits(problem.Attend(), alone);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(AttentionKernel.BlockKeys - 1)]
    [InlineData(AttentionKernel.BlockKeys)]
    [InlineData(AttentionKernel.BlockKeys + 1)]
    [InlineData((2 * AttentionKernel.BlockKeys) + 88)]
    public void Decode_with_cache_has_the_bits_of_the_whole_prompt(int length)
    {
        var problem = Plain(length) with { Rows = length, FirstPosition = 0, Options = new AttentionOptions(0.3f, Causal: true, Softcap: 20) };
        var (keys, values) = (problem.KeyRows, problem.ValueRows);
        var decoded = new float[length * problem.ValueDim];
        using var cache = new KvCache(problem.HeadDim, problem.ValueDim, length);
        for (var position = 0; position < length; position++)
        {
            var value = values.AsSpan(position * problem.ValueDim);
            cache.Append(keys.AsSpan(position * problem.HeadDim), problem.HeadDim, value, problem.ValueDim, rows: 1);
            AttendAlone(problem, position, cache, decoded);
        }

        Data.SameBits(problem.Attend(), decoded);
    }

    [Fact]
    public void Attention_with_strides_has_the_bits_of_dense_rows_and_writes_nothing_between()
    {
        var problem = Plain(150) with { Rows = 3 };
        using var cache = problem.Cache();
        var (queries, output) = (new float[3 * 50], Enumerable.Repeat(7f, 3 * 40).ToArray());
        for (var row = 0; row < 3; row++)
        {
            problem.Queries.AsSpan(row * problem.HeadDim, problem.HeadDim).CopyTo(queries.AsSpan(row * 50));
        }

        AttentionKernel.Attend(queries, 50, 3, problem.FirstPosition, cache, problem.Options, AttentionMask.None, output, 40);
        Data.SameBits(problem.Attend(), Data.Columns(output, 40, 0, problem.ValueDim));
        Assert.All(Data.Columns(output, 40, problem.ValueDim, 40 - problem.ValueDim), value => Assert.Equal(7, value));
    }

    [Fact]
    public void Scores_of_1000_choose_the_largest()
    {
        // The products are exact, so nothing but the softmax can err.
        using var cache = new KvCache(1, 2, 4);
        cache.Append([1000, -1000, 1000, 998], 1, [1, 2, 30, 40, 3, 4, 50, 60], 2, 4);
        var output = new float[4];
        AttentionKernel.Attend([1, -1], 1, 2, 0, cache, new AttentionOptions(1), AttentionMask.None, output, 2);

        var (one, two) = (2 + Math.Exp(-2), Math.Exp(-2) / (2 + Math.Exp(-2)));
        Tolerance.Function.Check([(4 / one) + (50 * two), (6 / one) + (60 * two), 30, 40], output);
    }

    [Theory]
    [InlineData(nameof(MaskKind.Boolean))]
    [InlineData(nameof(MaskKind.Additive))]
    [InlineData("Causal")]
    [InlineData("Short")]
    public void Masked_key_and_its_value_are_not_read(string how)
    {
        // 200 keys, the odd ones or the last hundred hidden: their contents must not matter, NaN and infinity included.
        bool Hidden(int key) => how is "Causal" or "Short" ? key >= 100 : key % 2 == 1;
        bool[] visible = [.. Enumerable.Range(0, how == "Short" ? 100 : 200).Select(key => !Hidden(key))];
        float[] bias = [.. visible.Select(seen => seen ? 0 : float.NegativeInfinity)];
        var options = new AttentionOptions(0.5f, Causal: how == "Causal");

        float[] Attend(float hidden)
        {
            var (keys, values) = (Data.Noise(1, 200 * 8), Data.Noise(2, 200 * 70));
            for (var key = 0; key < 200; key++)
            {
                if (Hidden(key))
                {
                    keys.AsSpan(key * 8, 8).Fill(hidden);
                    values.AsSpan(key * 70, 70).Fill(hidden);
                }
            }

            using var cache = new KvCache(8, 70, 200);
            cache.Append(keys, 8, values, 70, 200);
            var mask = how == nameof(MaskKind.Additive) ? AttentionMask.Additive(bias, 200)
                : how == "Causal" ? AttentionMask.None
                : AttentionMask.Boolean(visible, visible.Length);
            var output = new float[70];
            AttentionKernel.Attend(Data.Noise(3, 8), 8, 1, 99, cache, options, mask, output, 70);
            return output;
        }

        var expected = Attend(hidden: 0);
        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        Data.SameBits(expected, Attend(float.NaN));
        Data.SameBits(expected, Attend(float.PositiveInfinity));
    }

    [Fact]
    public void Row_that_sees_no_key_is_zeros()
    {
        var problem = Plain(200) with { Rows = 2, MaskColumns = 200 };
        using var cache = problem.Cache();
        var output = Enumerable.Repeat(7f, 2 * problem.ValueDim).ToArray();
        var mask = AttentionMask.Boolean(new bool[400], 200);
        AttentionKernel.Attend(problem.Queries, problem.HeadDim, 2, 0, cache, problem.Options, mask, output, problem.ValueDim);
        Assert.All(output, value => Assert.Equal(0, value));

        using var empty = new KvCache(problem.HeadDim, problem.ValueDim, 1);
        output.AsSpan().Fill(7);
        AttentionKernel.Attend(problem.Queries, problem.HeadDim, 2, 0, empty, problem.Options, AttentionMask.None, output, problem.ValueDim);
        Assert.All(output, value => Assert.Equal(0, value));
    }

    [Fact]
    public void First_block_wholly_masked_leaves_the_bits_of_the_rest()
    {
        const int Keys = AttentionKernel.BlockKeys + 44;
        var problem = Plain(Keys) with { Rows = 1 };
        using var cache = problem.Cache();
        bool[] visible = [.. Enumerable.Range(0, Keys).Select(key => key >= AttentionKernel.BlockKeys)];
        var output = new float[problem.ValueDim];
        var mask = AttentionMask.Boolean(visible, Keys);
        AttentionKernel.Attend(problem.Queries, problem.HeadDim, 1, 0, cache, problem.Options, mask, output, problem.ValueDim);

        using var rest = new KvCache(problem.HeadDim, problem.ValueDim, Keys);
        var (skip, count) = (AttentionKernel.BlockKeys, Keys - AttentionKernel.BlockKeys);
        var keys = problem.KeyRows.AsSpan(skip * problem.HeadDim);
        var values = problem.ValueRows.AsSpan(skip * problem.ValueDim);
        rest.Append(keys, problem.HeadDim, values, problem.ValueDim, count);
        var expected = new float[problem.ValueDim];
        AttentionKernel.Attend(problem.Queries, problem.HeadDim, 1, 0, rest, problem.Options, AttentionMask.None, expected, problem.ValueDim);
        Data.SameBits(expected, output);
    }

    [Fact]
    public void Attention_with_short_or_overlapping_spans_throws()
    {
        using var cache = Plain(20).Cache();
        var (query, output, options) = (new float[24], new float[66], new AttentionOptions(1));
        void Attend(int queries, int rows, int outputs, bool[]? mask = null) => AttentionKernel.Attend(
            query.AsSpan(0, queries),
            12,
            rows,
            0,
            cache,
            options,
            mask is null ? AttentionMask.None : AttentionMask.Boolean(mask, 20),
            output.AsSpan(0, outputs),
            33);

        Attend(24, 2, 66);
        Assert.Throws<ArgumentException>(() => Attend(23, 2, 66));
        Assert.Throws<ArgumentException>(() => Attend(24, 2, 65));
        Assert.Throws<ArgumentException>(() => Attend(24, 2, 66, new bool[39]));
        Assert.Throws<ArgumentException>(() => AttentionKernel.Attend(output, 12, 1, 0, cache, options, AttentionMask.None, output, 33));
        Assert.Throws<ArgumentException>(() => AttentionKernel.Pattern(query, 12, 2, 0, cache, options, AttentionMask.None, new float[39]));
    }

    [Fact]
    public void Positions_past_the_largest_integer_throw()
    {
        using var cache = Plain(20).Cache();
        var options = new AttentionOptions(1, Causal: true);
        Assert.Throws<ArgumentOutOfRangeException>(() => AttentionKernel.Attend(
            Data.Noise(1, 24), 12, 2, int.MaxValue - 1, cache, options, AttentionMask.None, new float[66], 33));
    }

    [Fact]
    public void Cancelled_attention_throws_and_leaves_its_output()
    {
        using var cache = Plain(20).Cache();
        var output = new float[33];
        Assert.Throws<OperationCanceledException>(() => AttentionKernel.Attend(
            Data.Noise(1, 12), 12, 1, 0, cache, new AttentionOptions(1), AttentionMask.None, output, 33, new CancellationToken(canceled: true)));
        Assert.All(output, value => Assert.Equal(0, value));
    }

    // One row of a problem, into its place among all.
    private static void AttendAlone(AttentionCase problem, int row, KvCache cache, float[] output) => AttentionKernel.Attend(
        problem.Queries.AsSpan(row * problem.HeadDim),
        problem.HeadDim,
        rows: 1,
        problem.FirstPosition + row,
        cache,
        problem.Options,
        problem.MaskFrom(row),
        output.AsSpan(row * problem.ValueDim),
        problem.ValueDim);

    private static AttentionCase Plain(int keys) => new(12, 33, 1, 0, keys, new AttentionOptions(0.3f), MaskKind.None, 1, Seed: keys);
}
