namespace HeadCluster;

/// <summary>
/// Keeps the patterns of a model's last captured request in memory, for those who look at heads: one grain a model, and one request
/// each. Its key is the model's name. What it keeps is lost with its silo, or when nobody has asked for a while.
/// </summary>
[Alias("hc.ICapturedPatternsGrain")]
public interface ICapturedPatternsGrain : IGrainWithStringKey
{
    /// <summary>The last captured request of the whole model, without its patterns; null if there is none.</summary>
    [Alias("GetAsync")]
    Task<CapturedRequest?> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>One head's pattern of one sequence; null if it was not captured, or another request has been since.</summary>
    /// <param name="capture">The capture's id.</param>
    /// <param name="head">The head.</param>
    /// <param name="sequence">The sequence, from 0.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    [Alias("GetPatternAsync")]
    Task<HeadPattern?> GetPatternAsync(Guid capture, HeadId head, int sequence, CancellationToken cancellationToken = default);
}

/// <summary>A request of which patterns were captured.</summary>
/// <param name="Id">Tells captures apart.</param>
/// <param name="Time">When it was answered.</param>
/// <param name="Tokens">Its tokens, the sequences one after the other.</param>
/// <param name="SequenceLengths">Tokens of each sequence.</param>
/// <param name="Heads">The heads of which there are patterns, ordered by layer and head.</param>
[GenerateSerializer, Immutable, Alias("hc.CapturedRequest")]
public sealed record CapturedRequest(
    [property: Id(0)] Guid Id,
    [property: Id(1)] DateTimeOffset Time,
    [property: Id(2)] int[] Tokens,
    [property: Id(3)] int[] SequenceLengths,
    [property: Id(4)] CapturedHead[] Heads);

/// <summary>One head of a captured request.</summary>
/// <param name="Head">The head.</param>
/// <param name="Scores">
/// The scores of each of its query heads, means over the sequences; null where only the largest entries of each row are there, of
/// which no score can be told.
/// </param>
[GenerateSerializer, Immutable, Alias("hc.CapturedHead")]
public sealed record CapturedHead([property: Id(0)] HeadId Head, [property: Id(1)] HeadScores[]? Scores);
