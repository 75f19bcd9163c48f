using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Definition;

public sealed class AttentionDefinitionTests
{
    private const int Digits = 12;

    [Fact]
    public void Linear_of_a_small_example_is_what_the_hand_computes() =>
        Assert.Equal([28.0, 39, 57, 70], AttentionDefinition.Linear<double>([1, 2, 3, 5], [4, 5, 7, 7], [10, 20], 2, 2, 2));

    [Fact]
    public void Scores_of_a_small_example_are_what_the_hand_computes()
    {
        double[] queries = [1, 2, 3, 4];
        double[] keys = [5, 6, 7, 8, 9, 10];
        Assert.Equal([8.5, 11.5, 14.5, 19.5, 26.5, 33.5], Scores(queries, keys, causal: false, softcap: 0, []));
        const double Hidden = double.NegativeInfinity;
        Assert.Equal([8.5, Hidden, Hidden, 19.5, 26.5, Hidden], Scores(queries, keys, causal: true, softcap: 0, []));
        Assert.Equal(10 * Math.Tanh(0.85), Scores(queries, keys, causal: false, softcap: 10, [])[0], Digits);
        Assert.Equal([9.5, 11.5, Hidden], Scores(queries, keys, causal: false, softcap: 0, [1, 0, Hidden, 0, 0, 0])[..3]);
    }

    [Fact]
    public void Pattern_of_logarithms_is_their_numbers_share()
    {
        var pattern = AttentionDefinition.Pattern<double>([Math.Log(1), Math.Log(2), Math.Log(5), 0, double.NegativeInfinity, 0], 2, 3);
        double[] expected = [0.125, 0.25, 0.625, 0.5, 0, 0.5];
        Assert.All(expected.Zip(pattern), pair => Assert.Equal(pair.First, pair.Second, Digits));
    }

    [Fact]
    public void Pattern_of_any_scores_sums_to_1_and_ignores_a_shift()
    {
        var scores = Data.Widen(Data.Noise(1, 40, 1000));
        var pattern = AttentionDefinition.Pattern<double>(scores, 1, 40);
        var shifted = AttentionDefinition.Pattern<double>([.. scores.Select(score => score + 4096)], 1, 40);
        Assert.Equal(1, pattern.Sum(), Digits);
        Assert.All(pattern.Zip(shifted), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public void Pattern_of_no_visible_key_is_zeros() =>
        Assert.Equal([0.0, 0], AttentionDefinition.Pattern<double>([double.NegativeInfinity, double.NegativeInfinity], 1, 2));

    [Fact]
    public void Mix_weighs_the_values_and_reads_none_of_weight_zero() =>
        Assert.Equal([4.0, 7.0], AttentionDefinition.Mix<double>([0.25, 0, 0.75], [1, 4, double.NaN, double.NaN, 5, 8], 1, 3, 2));

    private static double[] Scores(double[] queries, double[] keys, bool causal, double softcap, double[] mask) =>
        AttentionDefinition.Scores<double>(queries, keys, 2, 3, 2, 0.5, causal, 0, softcap, mask);
}
