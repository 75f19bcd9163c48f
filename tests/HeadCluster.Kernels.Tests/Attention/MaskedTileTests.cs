namespace HeadCluster.Kernels.Tests.Attention;

/// <summary>Rows that go through the keys together and see different ones: none may notice the others.</summary>
public sealed class MaskedTileTests
{
    private const int Rows = 8, Block = AttentionKernel.BlockKeys, Keys = Block + 44, HeadDim = 10, ValueDim = 35;

    // Which keys the rows of a tile see, each in its own way.
    private static readonly Func<int, bool>[] Views =
    [
        _ => true,
        _ => false,
        key => key % 2 == 0,
        key => key == 0,
        key => key == Keys - Rows,
        key => key >= Block,
        key => key < Block,
        key => key is not (3 or 63 or 64 or Block - 1 or Block),
    ];

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Masked_rows_of_a_tile_have_the_bits_of_each_alone_wherever_they_stand(bool additive, bool causal)
    {
        for (var turn = 0; turn < Rows; turn++)
        {
            bool[] visible = [.. Enumerable.Range(0, Rows * Keys).Select(i => Views[((i / Keys) + turn) % Rows](i % Keys))];
            var bias = Data.Noise(turn, visible.Length, 2).Zip(visible, (value, seen) => seen ? value : float.NegativeInfinity).ToArray();
            AttentionMask Mask(int row) => additive
                ? AttentionMask.Additive(bias.AsSpan(row * Keys), Keys)
                : AttentionMask.Boolean(visible.AsSpan(row * Keys), Keys);

            using var cache = Cache();
            var (together, alone) = (new float[Rows * ValueDim], new float[Rows * ValueDim]);
            Attend(cache, 0, Rows, causal, Mask(0), together);
            for (var row = 0; row < Rows; row++)
            {
                Attend(cache, row, 1, causal, Mask(row), alone.AsSpan(row * ValueDim));
            }

            Data.SameBits(alone, together);
            Assert.Equal(1, Enumerable.Range(0, Rows).Count(row => alone.AsSpan(row * ValueDim, ValueDim).IndexOfAnyExcept(0f) < 0));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Key_that_is_no_number_reaches_the_rows_that_see_it_and_no_other(float element)
    {
        // Causal rows from the eighth last position on: the key at the fifth last is seen by the last five of eight.
        const int At = Keys - 5;
        using var clean = Cache();
        using var broken = Cache(At, element);
        var (expected, actual) = (new float[Rows * ValueDim], new float[Rows * ValueDim]);
        Attend(clean, 0, Rows, causal: true, AttentionMask.None, expected);
        Attend(broken, 0, Rows, causal: true, AttentionMask.None, actual);
        const int Unaware = (At - (Keys - Rows)) * ValueDim;
        Data.SameBits(expected.AsSpan(0, Unaware), actual.AsSpan(0, Unaware));
        Assert.True(float.IsNaN(element) ? actual[Unaware..].All(float.IsNaN) : !actual[Unaware..].SequenceEqual(expected[Unaware..]));
    }

    [Fact]
    public void Value_that_one_row_does_not_see_does_not_reach_it_wherever_it_stands()
    {
        const int All = AttentionTile.MaxRows + 1, At = 70;
        var (queries, keys, values) = (Data.Noise(1, All * HeadDim), Data.Noise(2, Keys * HeadDim), Data.Noise(3, Keys * ValueDim));
        values.AsSpan(At * ValueDim, ValueDim).Fill(float.NaN);
        using var cache = new KvCache(HeadDim, ValueDim, Keys);
        cache.Append(keys, HeadDim, values, ValueDim, Keys);
        for (var unaware = 0; unaware < All; unaware++)
        {
            bool[] visible = [.. Enumerable.Range(0, All * Keys).Select(i => i != (unaware * Keys) + At)];
            var output = new float[All * ValueDim];
            AttentionKernel.Attend(
                queries, HeadDim, All, 0, cache, new AttentionOptions(0.4f), AttentionMask.Boolean(visible, Keys), output, ValueDim);
            Assert.All(output.Index(), element => Assert.Equal(element.Index / ValueDim != unaware, float.IsNaN(element.Item)));
        }
    }

    private static KvCache Cache(int at = 0, float? element = null)
    {
        var keys = Data.Noise(2, Keys * HeadDim);
        keys[at * HeadDim] = element ?? keys[at * HeadDim];
        var cache = new KvCache(HeadDim, ValueDim, Keys);
        cache.Append(keys, HeadDim, Data.Noise(3, Keys * ValueDim), ValueDim, Keys);
        return cache;
    }

    private static void Attend(KvCache cache, int row, int rows, bool causal, AttentionMask mask, Span<float> output) => AttentionKernel.Attend(
        Data.Noise(1, Rows * HeadDim).AsSpan(row * HeadDim),
        HeadDim,
        rows,
        Keys - Rows + row,
        cache,
        new AttentionOptions(0.4f, causal),
        mask,
        output,
        ValueDim);
}
