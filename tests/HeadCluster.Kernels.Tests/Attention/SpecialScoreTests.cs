using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Attention;

/// <summary>Scores at the ends of what a float32 holds, and beyond.</summary>
public sealed class SpecialScoreTests
{
    private const int BeyondBlock = AttentionKernel.BlockKeys + 20;

    [Theory]
    [InlineData(1)]
    [InlineData(70)]
    [InlineData(BeyondBlock)]
    public void Scores_up_to_1000_of_both_signs_neither_overflow_nor_vanish(int keys)
    {
        var (scores, values) = (Data.Noise(keys, keys, 1000), Data.Noise(2, keys * 3));
        var expected = AttentionDefinition.Mix<double>(
            AttentionDefinition.Pattern<double>(Data.Widen(scores), 1, keys), Data.Widen(values), 1, keys, 3);
        Tolerance.Sum.Check(expected, Attend(scores, values));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(-1000)]
    [InlineData(1e30f)]
    [InlineData(-1e30f)]
    [InlineData(0)]
    public void Even_scores_of_any_size_average_the_values(float score)
    {
        float[] values = [.. Enumerable.Range(0, 128 * 3).Select(i => i % 3 == 0 ? 1f : i / 3 % 2 == 0 ? 4f : 8f)];
        Assert.Equal([1, 6, 6], Attend([.. Enumerable.Repeat(score, 128)], values));
    }

    [Fact]
    public void One_key_of_one_element_gives_its_value()
    {
        foreach (var score in (float[])[0, -0f, 1, -1, 1000, -1000, float.MaxValue, -float.MaxValue, float.Epsilon])
        {
            Assert.Equal([5f, -7f, 1e-40f], Attend([score], [5, -7, 1e-40f]));
        }
    }

    [Theory]
    [InlineData(0, 70)]
    [InlineData(69, 70)]
    [InlineData(5, BeyondBlock)]
    [InlineData(BeyondBlock - 1, BeyondBlock)]
    public void Score_of_minus_infinity_hides_its_key_as_a_mask_does(int at, int keys)
    {
        var (scores, values) = (Data.Noise(1, keys, 3), Data.Noise(2, keys * 3));
        var hidden = (float[])scores.Clone();
        hidden[at] = float.NegativeInfinity;
        var bias = new float[keys];
        bias[at] = float.NegativeInfinity;
        var masked = Attend(scores, values, AttentionMask.Additive(bias, keys));
        Data.SameBits(masked, Attend(hidden, values));

        // And its value is not read.
        values.AsSpan(at * 3, 3).Fill(float.NaN);
        Data.SameBits(masked, Attend(hidden, values));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(BeyondBlock)]
    public void Scores_of_minus_infinity_only_give_zeros(int keys) =>
        Data.SameBits([0, 0, 0], Attend([.. Enumerable.Repeat(float.NegativeInfinity, keys)], Data.Noise(1, keys * 3)));

    [Theory]
    [InlineData(0, 3)]
    [InlineData(69, 70)]
    [InlineData(5, BeyondBlock)]
    [InlineData(BeyondBlock - 1, BeyondBlock)]
    public void Score_or_mask_of_NaN_or_infinity_makes_the_row_NaN(int at, int keys)
    {
        var (scores, values) = (Data.Noise(1, keys, 3), Data.Noise(2, keys * 3));
        foreach (var special in (float[])[float.NaN, float.PositiveInfinity])
        {
            var bias = new float[keys];
            bias[at] = special;
            Assert.All(Attend(scores, values, AttentionMask.Additive(bias, keys)), value => Assert.Equal(float.NaN, value));

            var broken = (float[])scores.Clone();
            broken[at] = special;
            Assert.All(Attend(broken, values), value => Assert.Equal(float.NaN, value));
            Assert.All(Attend(broken, values, AttentionMask.Additive(new float[keys], keys)), value => Assert.Equal(float.NaN, value));
        }
    }

    // With scores so far apart the exponentials are computed in another way.
    [Theory]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(AttentionKernel.BlockKeys - 1)]
    [InlineData(BeyondBlock)]
    public void Score_far_below_the_others_changes_no_bit(int keys)
    {
        var (scores, values) = (Data.Noise(1, keys, 3), Data.Noise(2, (keys + 1) * 3));
        var without = Attend(scores, values[..^3]);
        foreach (var far in (float[])[-110, -1000, -float.MaxValue])
        {
            Data.SameBits(without, Attend([.. scores, far], values));
        }
    }

    // Around the bound of the faster exponential, where results become denormal, and where they become 0.
    [Theory]
    [InlineData(-0f)]
    [InlineData(-float.Epsilon)]
    [InlineData(-1e-30f)]
    [InlineData(-86.99999f)]
    [InlineData(-87f)]
    [InlineData(-87.00001f)]
    [InlineData(-87.33654f)]
    [InlineData(-87.4f)]
    [InlineData(-95f)]
    [InlineData(-103.2f)]
    [InlineData(-103.97f)]
    [InlineData(-104f)]
    [InlineData(-105f)]
    [InlineData(-1e6f)]
    [InlineData(-float.MaxValue)]
    [InlineData(float.NegativeInfinity)]
    public void Score_of_any_distance_from_the_largest_has_the_bits_of_the_contract_wherever_it_stands(float special)
    {
        const int Keys = 70;
        var values = Data.Noise(2, Keys * 3);
        for (var at = 0; at < Keys; at++)
        {
            float[] scores = [.. Data.Noise(at, Keys, 40).Select(score => score - 41)];
            scores[(at + 1) % Keys] = 0;
            scores[at] = special;
            Data.SameBits(AttentionContract.Attend([1], scores, values, 3, new AttentionOptions(1), new float[Keys]), Attend(scores, values));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(-0.3f)]
    [InlineData(1e38f)]
    [InlineData(-1e38f)]
    public void Scale_of_any_sign_and_size_is_that_of_scores_scaled_before(float scale)
    {
        var (scores, values) = (Data.Noise(1, BeyondBlock, 3), Data.Noise(2, BeyondBlock * 3));
        Data.SameBits(Attend([.. scores.Select(score => score * scale)], values), Attend(scores, values, scale: scale));
    }

    [Fact]
    public void Value_of_NaN_makes_its_column_NaN_and_no_other()
    {
        var values = Data.Noise(2, 70 * 3);
        var expected = Attend(Data.Noise(1, 70), values);
        values[(33 * 3) + 1] = float.NaN;
        var actual = Attend(Data.Noise(1, 70), values);
        Data.SameBits([expected[0], expected[2]], [actual[0], actual[2]]);
        Assert.Equal(float.NaN, actual[1]);
    }

    // One query of one element, 1, against keys of one element: the keys are the scores.
    private static float[] Attend(float[] scores, float[] values, AttentionMask mask = default, float scale = 1)
    {
        using var cache = new KvCache(1, 3, scores.Length);
        cache.Append(scores, 1, values, 3, scores.Length);
        var output = new float[3];
        AttentionKernel.Attend([1], 1, 1, 0, cache, new AttentionOptions(scale), mask, output, 3);
        return output;
    }
}
