namespace HeadCluster.Kernels.Tests.Attention;

/// <summary>
/// One row of attention by the rules of docs/numerics.md to the letter, one scalar after the other: what the kernel's bits have
/// to be, where the definition in double only says what they have to be near.
/// </summary>
internal static class AttentionContract
{
    /// <summary>The output of one query.</summary>
    /// <param name="query"><c>[headDim]</c>.</param>
    /// <param name="keys"><c>[seen, headDim]</c>: only those that the query sees but for the mask.</param>
    /// <param name="values"><c>[seen, valueDim]</c>.</param>
    /// <param name="valueDim">Elements of a value.</param>
    /// <param name="options">Scale and softcap; causality is in the number of keys.</param>
    /// <param name="bias"><c>[seen]</c>, added to the scores, −∞ hides a key.</param>
    public static float[] Attend(
        ReadOnlySpan<float> query,
        ReadOnlySpan<float> keys,
        ReadOnlySpan<float> values,
        int valueDim,
        AttentionOptions options,
        ReadOnlySpan<float> bias)
    {
        var (sums, maximum, denominator) = (new float[valueDim], float.NegativeInfinity, 0f);
        for (var first = 0; first < bias.Length; first += AttentionKernel.BlockKeys)
        {
            var scores = new float[Math.Min(AttentionKernel.BlockKeys, bias.Length - first)];
            var largest = maximum;
            for (var j = 0; j < scores.Length; j++)
            {
                scores[j] = Score(query, keys.Slice((first + j) * query.Length, query.Length), options, bias[first + j]);
                largest = Math.Max(largest, scores[j]);
            }

            if (largest == float.NegativeInfinity)
            {
                continue;
            }

            // What was summed so far is made to fit the new maximum, once a block.
            var correction = maximum == float.NegativeInfinity ? 1 : Exp(maximum - largest);
            var lanes = new float[16];
            for (var d = 0; d < valueDim; d++)
            {
                sums[d] *= correction;
            }

            for (var j = 0; j < scores.Length; j++)
            {
                if (scores[j] == float.NegativeInfinity)
                {
                    continue;
                }

                var weight = Exp(scores[j] - largest);
                lanes[j % 16] += weight;
                for (var d = 0; d < valueDim; d++)
                {
                    sums[d] = MathF.FusedMultiplyAdd(weight, values[((first + j) * valueDim) + d], sums[d]);
                }
            }

            (maximum, denominator) = (largest, MathF.FusedMultiplyAdd(denominator, correction, Tree(lanes)));
        }

        return denominator == 0 ? sums : [.. sums.Select(sum => sum / denominator)];
    }

    // One chain over HeadDim ascending.
    private static float Score(ReadOnlySpan<float> query, ReadOnlySpan<float> key, AttentionOptions options, float bias)
    {
        var score = 0f;
        for (var d = 0; d < query.Length; d++)
        {
            score = MathF.FusedMultiplyAdd(query[d], key[d], score);
        }

        score *= options.Scale;
        score = options.Softcap > 0 ? Elementary.Tanh(score / options.Softcap) * options.Softcap : score;
        return bias == float.NegativeInfinity ? bias : score + bias;
    }

    /// <summary>The exponential of attention, x ≤ 0: eˣ = 2ⁿ eʳ with |r| ≤ ln 2 / 2, eʳ = 1 + r + r² p(r).</summary>
    public static float Exp(float x)
    {
        var bounded = Math.Max(x, -105);
        var n = MathF.FusedMultiplyAdd(bounded, 1.44269504f, 12582912) - 12582912;
        var r = MathF.FusedMultiplyAdd(n, -1.42860677e-6f, MathF.FusedMultiplyAdd(n, -0.693145752f, bounded));
        var power = 0.00138389028f;
        foreach (var coefficient in (float[])[0.00836919248f, 0.0416681021f, 0.166665167f, 0.49999994f, 1, 1])
        {
            power = MathF.FusedMultiplyAdd(power, r, coefficient);
        }

        return MathF.ScaleB(power, (int)n);
    }

    private static float Tree(float[] lanes)
    {
        for (var half = 8; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                lanes[i] += lanes[i + half];
            }
        }

        return lanes[0];
    }
}
