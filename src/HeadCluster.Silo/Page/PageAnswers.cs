using System.Text.Json.Serialization;

namespace HeadCluster.Silo;

/// <summary>The answer of <c>/api/cluster</c>.</summary>
/// <param name="Time">When it was.</param>
/// <param name="Dashboard">Whether the Orleans Dashboard is at <c>/dashboard/</c>.</param>
/// <param name="Silos">The silos that run, ordered by address.</param>
/// <param name="Models">The models, ordered by name.</param>
/// <param name="Heads">The active heads, ordered by model, layer and head.</param>
/// <param name="BrokenModels">The models that cannot be used.</param>
internal sealed record ClusterAnswer(
    DateTimeOffset Time,
    bool Dashboard,
    IReadOnlyList<SiloAnswer> Silos,
    IReadOnlyList<ModelAnswer> Models,
    IReadOnlyList<HeadAnswer> Heads,
    IReadOnlyList<BrokenModel> BrokenModels)
{
    public static ClusterAnswer Of(ClusterStatus status, DateTimeOffset time, bool dashboard)
    {
        var names = status.Silos.ToDictionary(silo => silo.Address, silo => silo.Name);
        return new(
            time,
            dashboard,
            Array.ConvertAll(status.Silos, silo => new SiloAnswer(silo.Name, silo.Address.Endpoint.ToString(), silo.Status)),
            Array.ConvertAll(status.Models, model => new ModelAnswer(model.Name, model.LayerCount, model.HeadCount, model.KvHeadCount)),
            Array.ConvertAll(status.Heads, head => new HeadAnswer(
                head.Head.Model,
                head.Head.Layer,
                head.Head.KvHead,
                // A silo may have joined or left in between.
                names.GetValueOrDefault(head.Silo) ?? head.Silo.Endpoint.ToString(),
                head.WeightBytes,
                head.Requests,
                head.Queue.Recent.TotalMicroseconds,
                head.Project.Recent.TotalMicroseconds,
                head.Attend.Recent.TotalMicroseconds)),
            status.BrokenModels);
    }
}

/// <summary>A silo of <see cref="ClusterAnswer"/>.</summary>
internal sealed record SiloAnswer(string Name, string Address, string Status);

/// <summary>A model of <see cref="ClusterAnswer"/>.</summary>
internal sealed record ModelAnswer(string Name, int Layers, int Heads, int KvHeads);

/// <summary>A head of <see cref="ClusterAnswer"/>; its times are averages of its last requests, so that what changes is seen.</summary>
internal sealed record HeadAnswer(
    string Model,
    int Layer,
    int Head,
    string Silo,
    long WeightBytes,
    long Requests,
    double QueueMicroseconds,
    double ProjectMicroseconds,
    double AttendMicroseconds);

/// <summary>The answer of <c>/api/capture</c>: a model's last captured request.</summary>
/// <param name="Id">Its id, which a pattern is asked for with.</param>
/// <param name="Model">The model.</param>
/// <param name="Time">When it was answered.</param>
/// <param name="Sequences">The tokens of each sequence.</param>
/// <param name="Heads">The heads that were captured.</param>
internal sealed record CaptureAnswer(
    Guid Id, string Model, DateTimeOffset Time, IReadOnlyList<int[]> Sequences, IReadOnlyList<CapturedHeadAnswer> Heads)
{
    public static CaptureAnswer Of(string model, CapturedRequest capture) => new(
        capture.Id,
        model,
        capture.Time,
        [.. Enumerable.Range(0, capture.SequenceLengths.Length).Select(sequence => TokensOf(capture, sequence))],
        Array.ConvertAll(capture.Heads, head => new CapturedHeadAnswer(head.Head.Layer, head.Head.KvHead, head.Scores)));

    /// <summary>The tokens of one sequence.</summary>
    public static int[] TokensOf(CapturedRequest capture, int sequence)
    {
        var first = capture.SequenceLengths.AsSpan(0, sequence).ToArray().Sum();
        return capture.Tokens[first..(first + capture.SequenceLengths[sequence])];
    }
}

/// <summary>A head of <see cref="CaptureAnswer"/>, with the scores of each query head; null where its pattern is there in part only.</summary>
internal sealed record CapturedHeadAnswer(int Layer, int Head, HeadScores[]? Scores);

/// <summary>The answer of <c>/api/pattern</c>.</summary>
/// <param name="Capture">The captured request.</param>
/// <param name="Layer">The layer.</param>
/// <param name="Head">The key/value head.</param>
/// <param name="Sequence">The sequence.</param>
/// <param name="Tokens">Its tokens.</param>
/// <param name="Shares">Of each query head, of each row the shares of its attention.</param>
/// <param name="Keys">The key of each share; null where share j is that of key j.</param>
internal sealed record PatternAnswer(
    Guid Capture, int Layer, int Head, int Sequence, int[] Tokens, float[][][] Shares, int[][][]? Keys)
{
    public static PatternAnswer Of(CapturedRequest capture, HeadId head, int sequence, HeadPattern pattern) => new(
        capture.Id,
        head.Layer,
        head.KvHead,
        sequence,
        CaptureAnswer.TokensOf(capture, sequence),
        Rows(pattern, (queryHead, row) => pattern.Row(queryHead, row).ToArray()),
        pattern.IsWhole ? null : Rows(pattern, (queryHead, row) => pattern.RowKeys(queryHead, row).ToArray()));

    private static T[][][] Rows<T>(HeadPattern pattern, Func<int, int, T[]> row) =>
        [.. Enumerable.Range(0, pattern.QueryHeads).Select(queryHead => Enumerable.Range(0, pattern.Length).Select(i => row(queryHead, i)).ToArray())];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(CaptureAnswer))]
[JsonSerializable(typeof(PatternAnswer))]
internal sealed partial class PageJson : JsonSerializerContext;
