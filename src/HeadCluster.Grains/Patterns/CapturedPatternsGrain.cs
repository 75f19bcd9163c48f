using Orleans.Concurrency;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>Keeps the patterns of a model's last captured request, and tells the scores of its heads.</summary>
/// <remarks>Local to its first caller, which mostly is the model's transformer: then nothing travels.</remarks>
[GrainType("captured-patterns"), PreferLocalPlacement]
internal sealed class CapturedPatternsGrain : Grain, ICapturedPatternsGrain, IPatternKeeper
{
    private PatternCaptured? _last;
    private CapturedRequest? _answer;

    public Task KeepAsync(PatternCaptured capture)
    {
        (_last, _answer) = (capture, null);
        return Task.CompletedTask;
    }

    public Task<CapturedRequest?> GetAsync(CancellationToken cancellationToken)
    {
        // Not before somebody looks.
        _answer ??= _last is { } capture ? Describe(capture) : null;
        return Task.FromResult(_answer);
    }

    public Task<HeadPattern?> GetPatternAsync(Guid capture, HeadId head, int sequence, CancellationToken cancellationToken)
    {
        var patterns = _last?.Id == capture ? Array.Find(_last.Heads, report => report.Head == head)?.Patterns : null;
        return Task.FromResult(patterns is not null && (uint)sequence < (uint)patterns.Length ? patterns[sequence] : null);
    }

    private static CapturedRequest Describe(PatternCaptured capture) => new(
        capture.Id,
        capture.Time,
        capture.Tokens,
        capture.SequenceLengths,
        Array.ConvertAll(capture.Heads, head => new CapturedHead(head.Head, Score(head.Patterns!, capture))));

    private static HeadScores[]? Score(HeadPattern[] patterns, PatternCaptured capture)
    {
        if (!Array.TrueForAll(patterns, pattern => pattern.IsWhole))
        {
            return null;
        }

        var scores = new HeadScores[patterns[0].QueryHeads];
        for (var queryHead = 0; queryHead < scores.Length; queryHead++)
        {
            var bySequence = new HeadScores[patterns.Length];
            for (int sequence = 0, first = 0; sequence < patterns.Length; sequence++)
            {
                var length = capture.SequenceLengths[sequence];
                bySequence[sequence] = HeadScores.Of(patterns[sequence].Matrix(queryHead), capture.Tokens.AsSpan(first, length));
                first += length;
            }

            scores[queryHead] = HeadScores.Mean(bySequence);
        }

        return scores;
    }
}

/// <summary>Takes the patterns of a request that was served. Its key is the model's name.</summary>
[Alias("hc.IPatternKeeper")]
internal interface IPatternKeeper : IGrainWithStringKey
{
    /// <summary>Keeps them in place of those before.</summary>
    [Alias("KeepAsync"), OneWay]
    Task KeepAsync(PatternCaptured capture);
}

/// <summary>A request and the heads whose reports carry patterns.</summary>
/// <param name="Id">Tells captures apart.</param>
/// <param name="Time">When it was answered.</param>
/// <param name="Tokens">Its tokens.</param>
/// <param name="SequenceLengths">Tokens of each sequence.</param>
/// <param name="Heads">Their reports, each with patterns, ordered by layer and head.</param>
[GenerateSerializer, Immutable, Alias("hc.PatternCaptured")]
internal sealed record PatternCaptured(
    [property: Id(0)] Guid Id,
    [property: Id(1)] DateTimeOffset Time,
    [property: Id(2)] int[] Tokens,
    [property: Id(3)] int[] SequenceLengths,
    [property: Id(4)] HeadReport[] Heads);
