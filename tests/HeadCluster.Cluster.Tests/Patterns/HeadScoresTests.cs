using System.Text.Json;
using CsCheck;

namespace HeadCluster.Tests.Patterns;

public sealed class HeadScoresTests
{
    private const double Rounding = 1e-6;

    // A sequence that is there twice.
    private static readonly int[] Twice = [7, 3, 9, 1, 4, 7, 3, 9, 1, 4];

    [Fact]
    public void A_pattern_shifted_by_one_is_all_previous_token()
    {
        var scores = HeadScores.Of(LookingAt(6, i => Math.Max(0, i - 1)), [0, 1, 2, 3, 4, 5]);

        Assert.Equal((1, 0, 1), (scores.PreviousToken, scores.Entropy, scores.MeanDistance));

        // Position 1 looks at the first, which is the one before.
        Assert.Equal(1 / 5.0, scores.FirstToken);
    }

    [Fact]
    public void A_pattern_on_the_first_position_is_all_first_token()
    {
        var scores = HeadScores.Of(LookingAt(6, _ => 0), [0, 1, 2, 3, 4, 5]);

        Assert.Equal((1, 0, 3), (scores.FirstToken, scores.Entropy, scores.MeanDistance));
        Assert.Equal(1 / 5.0, scores.PreviousToken);
    }

    [Fact]
    public void A_pattern_on_earlier_copies_is_all_duplicate_token()
    {
        var scores = HeadScores.Of(LookingAt(10, i => i < 5 ? 0 : i - 5), Twice);

        Assert.Equal((1, 0), (scores.DuplicateToken, scores.Induction));
    }

    [Fact]
    public void A_pattern_on_what_followed_earlier_copies_is_all_induction()
    {
        var scores = HeadScores.Of(LookingAt(10, i => i < 5 ? 0 : i - 4), Twice);

        Assert.Equal((0, 1), (scores.DuplicateToken, scores.Induction));
    }

    [Fact]
    public void A_token_is_no_copy_of_itself_and_does_not_follow_one()
    {
        // The second 5 follows the first, and the third what followed it.
        var onItself = HeadScores.Of(LookingAt(3, i => i), [5, 5, 5]);
        var onTheSecond = HeadScores.Of(LookingAt(3, i => Math.Min(i, 1)), [5, 5, 5]);

        Assert.Equal((0, 0), (onItself.DuplicateToken, onItself.Induction));
        Assert.Equal((0.5, 1), (onTheSecond.DuplicateToken, onTheSecond.Induction));
    }

    [Fact]
    public void Attention_spread_evenly_has_the_entropy_of_what_it_sees()
    {
        const int Length = 8;
        var pattern = new float[Length * Length];
        for (var i = 0; i < Length; i++)
        {
            pattern.AsSpan(i * Length, i + 1).Fill(1f / (i + 1));
        }

        var scores = HeadScores.Of(pattern, [.. Enumerable.Range(0, Length)]);

        Assert.Equal(Enumerable.Range(2, Length - 1).Average(seen => Math.Log(seen)), scores.Entropy!.Value, Rounding);
        Assert.Equal(Enumerable.Range(1, Length - 1).Average(i => i / 2.0), scores.MeanDistance!.Value, Rounding);
        Assert.Equal(Enumerable.Range(2, Length - 1).Average(seen => 1.0 / seen), scores.PreviousToken!.Value, Rounding);
    }

    [Fact]
    public void Nothing_is_said_of_what_no_row_can_show()
    {
        Assert.Equal(new HeadScores(null, null, null, null, null, null), HeadScores.Of([1], [4]));

        var withoutCopies = HeadScores.Of(LookingAt(3, i => i), [0, 1, 2]);
        Assert.Equal((null, null), (withoutCopies.DuplicateToken, withoutCopies.Induction));
        Assert.Equal(0, withoutCopies.PreviousToken);
    }

    [Fact]
    public void A_mean_is_over_the_patterns_that_have_the_score()
    {
        var mean = HeadScores.Mean([HeadScores.Of([1], [4]), HeadScores.Of(LookingAt(2, _ => 0), [0, 1]), HeadScores.Of(LookingAt(2, i => i), [0, 1])]);

        Assert.Equal((0.5, null), (mean.PreviousToken, mean.Induction));
    }

    [Fact]
    public void A_pattern_of_another_length_is_refused() =>
        Assert.Contains("9 entries is not that of 2 tokens", Assert.Throws<ArgumentException>(() => HeadScores.Of(new float[9], [0, 1])).Message, StringComparison.Ordinal);

    [Fact]
    public void Scores_are_within_their_ranges_and_do_not_depend_on_the_names_of_tokens() =>
        Gen.Select(Gen.Int[2, 12], Gen.UInt).Sample((length, seed) =>
        {
            var random = new Random((int)seed);
            var pattern = Random(length, random);
            var tokens = Enumerable.Range(0, length).Select(_ => random.Next(4)).ToArray();

            var scores = HeadScores.Of(pattern, tokens);

            Assert.All(
                [scores.PreviousToken, scores.FirstToken, scores.DuplicateToken ?? 0, scores.Induction ?? 0],
                share => Assert.InRange(share!.Value, 0, 1 + Rounding));
            Assert.InRange(scores.Entropy!.Value, 0, Math.Log(length) + Rounding);
            Assert.InRange(scores.MeanDistance!.Value, 0, length - 1 + Rounding);
            Assert.Equal(scores, HeadScores.Of(pattern, Array.ConvertAll(tokens, token => 100 - token)));
        });

    [Theory]
    [InlineData("ex0.json")]
    [InlineData("ex1.json")]
    [InlineData("ex2.json")]
    public void Head_4_11_is_the_previous_token_head_of_GPT_2_small(string file)
    {
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Cases.Find("gpt2-attention", file)));
        var tokens = recorded.RootElement.GetProperty("tokenIds").EnumerateArray().Select(id => id.GetInt32()).ToArray();
        var heads =
            from layer in recorded.RootElement.GetProperty("attn_softmax").EnumerateArray().Index()
            from head in layer.Item.EnumerateArray().Index()
            let pattern = head.Item.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(share => share.GetSingle()).ToArray()
            select (Layer: layer.Index, Head: head.Index, Scores: HeadScores.Of(pattern, tokens));

        var ranked = heads.OrderByDescending(head => head.Scores.PreviousToken).ToArray();

        Assert.Equal(144, ranked.Length);
        Assert.Equal((4, 11), (ranked[0].Layer, ranked[0].Head));
        Assert.InRange(ranked[0].Scores.PreviousToken!.Value, 0.9, 1);
    }

    // Each row has all of its attention on one key.
    private static float[] LookingAt(int length, Func<int, int> key)
    {
        var pattern = new float[length * length];
        for (var i = 0; i < length; i++)
        {
            pattern[(i * length) + key(i)] = 1;
        }

        return pattern;
    }

    private static float[] Random(int length, Random random)
    {
        var pattern = new float[length * length];
        for (var i = 0; i < length; i++)
        {
            var row = pattern.AsSpan(i * length, length);
            var sum = 0f;
            foreach (ref var share in row)
            {
                sum += share = random.NextSingle();
            }

            foreach (ref var share in row)
            {
                share /= sum;
            }
        }

        return pattern;
    }
}
