using System.Globalization;
using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Patterns;

/// <summary>The JSON of <c>heads</c>.</summary>
/// <param name="Model">The model.</param>
/// <param name="Tokens">The prompt.</param>
/// <param name="Heads">Every query head, ordered by layer and head.</param>
/// <param name="Strongest">For each score that is a share, the head that has most of it; none for a score that no row of the prompt can show.</param>
/// <param name="LeftOut">Scores that cannot be told, and why.</param>
internal sealed record HeadScoresAnswer(
    string Model,
    int[] Tokens,
    IReadOnlyList<ScoredHead> Heads,
    IReadOnlyDictionary<string, StrongestHead> Strongest,
    IReadOnlyDictionary<string, string> LeftOut)
{
    private static readonly (string Name, Func<HeadScores, double?> Score)[] Shares =
    [
        ("previousToken", scores => scores.PreviousToken),
        ("firstToken", scores => scores.FirstToken),
        ("duplicateToken", scores => scores.DuplicateToken),
        ("induction", scores => scores.Induction),
    ];

    public static HeadScoresAnswer Of(string model, PromptPatterns prompt)
    {
        ScoredHead[] heads =
        [
            .. from layer in prompt.Layers
               from head in PromptPatterns.QueryHeadsOf(layer)
               select new ScoredHead(head.Report.Head.Layer, head.Head, HeadScores.Of(head.Report.Patterns![0].Matrix(head.Place), prompt.Tokens)),
        ];
        return new(
            model,
            prompt.Tokens,
            heads,
            Shares
                .Select(share => (share.Name, Head: StrongestHead.Of(heads, share.Score)))
                .Where(share => share.Head is not null)
                .ToDictionary(share => share.Name, share => share.Head!),
            new Dictionary<string, string> { ["punctuation"] = "the model has no tokenizer, so nobody knows which tokens are punctuation" });
    }

    public Table Tabulate()
    {
        var table = Tables.Create(
            ">layer", ">head", ">previous", ">first", ">duplicate", ">induction", ">entropy nats", ">distance");
        foreach (var (layer, head, scores) in Heads)
        {
            table.Add(
                layer.Text(),
                head.Text(),
                Share(scores.PreviousToken),
                Share(scores.FirstToken),
                Share(scores.DuplicateToken),
                Share(scores.Induction),
                Number(scores.Entropy),
                Number(scores.MeanDistance));
        }

        return table;
    }

    /// <summary>One line that names the strongest heads.</summary>
    public string NameStrongest() => "strongest: " + string.Join(
        ", ", Strongest.Select(share => string.Create(CultureInfo.InvariantCulture, $"{Title(share.Key)} {share.Value.Layer}.{share.Value.Head} ({share.Value.Share.Percent()})")));

    // As the table's columns are called.
    private static string Title(string share) => share.Replace("Token", "", StringComparison.Ordinal);

    private static string Share(double? share) => share?.Percent() ?? "-";

    private static string Number(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
}

/// <summary>One query head.</summary>
internal sealed record ScoredHead(int Layer, int Head, HeadScores Scores);

/// <summary>The head of which a score is largest; the first of those that have as much.</summary>
internal sealed record StrongestHead(int Layer, int Head, double Share)
{
    /// <summary>Null where no head has the score.</summary>
    public static StrongestHead? Of(IEnumerable<ScoredHead> heads, Func<HeadScores, double?> score) => heads
        .Where(head => score(head.Scores) is not null)
        .MaxBy(head => score(head.Scores)) is { } strongest
            ? new(strongest.Layer, strongest.Head, score(strongest.Scores)!.Value)
            : null;
}
