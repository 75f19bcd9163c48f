namespace HeadCluster;

/// <summary>
/// What one query head mostly does, as numbers: the usual ways to tell kinds of heads by their patterns. Shares are 0 to 1; null
/// where no row of the pattern could show it.
/// </summary>
/// <param name="PreviousToken">Share on the position before (Elhage et al. 2021).</param>
/// <param name="FirstToken">Share on the first position (Clark et al. 2019; "attention sink").</param>
/// <param name="DuplicateToken">Share on earlier copies of the token, over the rows that have one (Wang et al. 2022).</param>
/// <param name="Induction">Share on what followed earlier copies of the token, over the rows that have one (Olsson et al. 2022).</param>
/// <param name="Entropy">Entropy of a row, in nats (Clark et al. 2019); 0 where all attention is on one key.</param>
/// <param name="MeanDistance">How far away what a row attends to is, in positions (Vig and Belinkov 2019).</param>
[GenerateSerializer, Immutable, Alias("hc.HeadScores")]
public sealed record HeadScores(
    [property: Id(0)] double? PreviousToken,
    [property: Id(1)] double? FirstToken,
    [property: Id(2)] double? DuplicateToken,
    [property: Id(3)] double? Induction,
    [property: Id(4)] double? Entropy,
    [property: Id(5)] double? MeanDistance)
{
    /// <summary>Scores one pattern.</summary>
    /// <param name="pattern"><c>[length, length]</c>, each row summing to 1.</param>
    /// <param name="tokens">The sequence, length long.</param>
    /// <exception cref="ArgumentException">The pattern is not that of so many tokens.</exception>
    public static HeadScores Of(ReadOnlySpan<float> pattern, ReadOnlySpan<int> tokens)
    {
        PatternScores.Check(pattern, tokens);
        return new(
            PatternScores.PreviousToken(pattern, tokens.Length),
            PatternScores.FirstToken(pattern, tokens.Length),
            PatternScores.DuplicateToken(pattern, tokens),
            PatternScores.Induction(pattern, tokens),
            PatternScores.Entropy(pattern, tokens.Length),
            PatternScores.MeanDistance(pattern, tokens.Length));
    }

    /// <summary>The mean of each score over some patterns of a head, of those that have it.</summary>
    public static HeadScores Mean(IReadOnlyCollection<HeadScores> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        return new(
            scores.Average(score => score.PreviousToken),
            scores.Average(score => score.FirstToken),
            scores.Average(score => score.DuplicateToken),
            scores.Average(score => score.Induction),
            scores.Average(score => score.Entropy),
            scores.Average(score => score.MeanDistance));
    }
}
