using System.Text.Json;
using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Recorded;

public sealed class Gpt2AttentionTests
{
    [Theory]
    [InlineData("ex0.json")]
    [InlineData("ex1.json")]
    [InlineData("ex2.json")]
    public void Pattern_of_recorded_scores_is_the_recorded_one_in_every_head(string file)
    {
        using var recorded = JsonDocument.Parse(File.ReadAllBytes(Cases.Find("gpt2-attention", file)));
        var (scores, patterns) = (recorded.RootElement.GetProperty("scores_qk"), recorded.RootElement.GetProperty("attn_softmax"));
        for (var layer = 0; layer < 12; layer++)
        {
            for (var head = 0; head < 12; head++)
            {
                var (products, expected) = (Flatten(scores[layer][head]), Flatten(patterns[layer][head]));
                var length = scores[layer][head].GetArrayLength();

                // A row of products against unit vectors is that row again, exactly.
                var unit = new float[length * length];
                for (var i = 0; i < length; i++)
                {
                    unit[i * (length + 1)] = 1;
                }

                using var cache = new KvCache(length, length, length);
                cache.Append(unit, length, unit, length, length);
                var (pattern, output) = (new float[length * length], new float[length * length]);
                var options = new AttentionOptions(1 / 8f, Causal: true);
                AttentionKernel.Pattern(products, length, length, 0, cache, options, AttentionMask.None, pattern);
                AttentionKernel.Attend(products, length, length, 0, cache, options, AttentionMask.None, output, length);
                Tolerance.Recorded.Check(expected, pattern);
                Tolerance.Recorded.Check(expected, output);
            }
        }
    }

    private static float[] Flatten(JsonElement matrix) =>
        [.. matrix.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetSingle())];
}
