namespace HeadCluster.Cli.Demo;

/// <summary>How much of its attention a head gives to the token before: what marks a previous-token head.</summary>
internal static class PreviousToken
{
    /// <summary>Mean of pattern[i, i−1] over all rows but the first, over all query heads and sequences.</summary>
    /// <param name="patterns">Each <c>[query heads, length, length]</c>.</param>
    public static double Share(IEnumerable<FloatTensor> patterns)
    {
        var sum = 0.0;
        var rows = 0;
        foreach (var pattern in patterns)
        {
            var (heads, length) = (pattern.Shape[0], pattern.Shape[1]);
            for (var row = 0; row < heads * length; row++)
            {
                var position = row % length;
                if (position > 0)
                {
                    sum += pattern.Span[(row * length) + position - 1];
                    rows++;
                }
            }
        }

        return rows == 0 ? 0 : sum / rows;
    }
}
