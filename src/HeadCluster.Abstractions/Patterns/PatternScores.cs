namespace HeadCluster;

/// <summary>
/// The formulas of <see cref="HeadScores"/>, over a pattern A <c>[length, length]</c> and the tokens t. The first row is left out of
/// all of them: under a causal mask it sees nothing but itself, whatever the head does.
/// </summary>
public static class PatternScores
{
    /// <summary>Checks that a pattern is that of a sequence.</summary>
    /// <exception cref="ArgumentException">It is not <c>[tokens, tokens]</c>.</exception>
    internal static void Check(ReadOnlySpan<float> pattern, ReadOnlySpan<int> tokens)
    {
        if (pattern.Length != (long)tokens.Length * tokens.Length)
        {
            throw new ArgumentException($"a pattern of {pattern.Length} entries is not that of {tokens.Length} tokens", nameof(pattern));
        }
    }

    /// <summary>Mean over i of A[i, i−1].</summary>
    public static double? PreviousToken(ReadOnlySpan<float> pattern, int length)
    {
        var mean = new RowMean();
        for (var i = 1; i < length; i++)
        {
            mean.Add(pattern[(i * length) + i - 1]);
        }

        return mean.Value;
    }

    /// <summary>Mean over i of A[i, 0].</summary>
    public static double? FirstToken(ReadOnlySpan<float> pattern, int length)
    {
        var mean = new RowMean();
        for (var i = 1; i < length; i++)
        {
            mean.Add(pattern[i * length]);
        }

        return mean.Value;
    }

    /// <summary>Mean of Σ A[i, j] over the j &lt; i with t_j = t_i, over the i that have such a j.</summary>
    public static double? DuplicateToken(ReadOnlySpan<float> pattern, ReadOnlySpan<int> tokens) => OnCopies(pattern, tokens, after: 0);

    /// <summary>Mean of Σ A[i, j+1] over the j with j+1 &lt; i and t_j = t_i, over the i that have such a j.</summary>
    public static double? Induction(ReadOnlySpan<float> pattern, ReadOnlySpan<int> tokens) => OnCopies(pattern, tokens, after: 1);

    /// <summary>Mean over i of −Σ A[i, j] ln A[i, j].</summary>
    public static double? Entropy(ReadOnlySpan<float> pattern, int length)
    {
        var mean = new RowMean();
        for (var i = 1; i < length; i++)
        {
            var entropy = 0.0;
            foreach (double share in pattern.Slice(i * length, length))
            {
                // x ln x goes to 0 with x.
                entropy -= share > 0 ? share * Math.Log(share) : 0;
            }

            mean.Add(entropy);
        }

        return mean.Value;
    }

    /// <summary>Mean over i of Σ A[i, j] |i − j|.</summary>
    public static double? MeanDistance(ReadOnlySpan<float> pattern, int length)
    {
        var mean = new RowMean();
        for (var i = 1; i < length; i++)
        {
            var distance = 0.0;
            for (var j = 0; j < length; j++)
            {
                distance += (double)pattern[(i * length) + j] * Math.Abs(i - j);
            }

            mean.Add(distance);
        }

        return mean.Value;
    }

    // The share on the positions a number of places after earlier copies of the row's token, itself never among them.
    private static double? OnCopies(ReadOnlySpan<float> pattern, ReadOnlySpan<int> tokens, int after)
    {
        var length = tokens.Length;
        var mean = new RowMean();
        for (var i = 1; i < length; i++)
        {
            var (sum, found) = (0.0, false);
            for (var key = after; key < i; key++)
            {
                if (tokens[key - after] == tokens[i])
                {
                    sum += pattern[(i * length) + key];
                    found = true;
                }
            }

            if (found)
            {
                mean.Add(sum);
            }
        }

        return mean.Value;
    }

    private struct RowMean
    {
        private double _sum;
        private int _rows;

        public readonly double? Value => _rows == 0 ? null : _sum / _rows;

        public void Add(double value)
        {
            _sum += value;
            _rows++;
        }
    }
}
