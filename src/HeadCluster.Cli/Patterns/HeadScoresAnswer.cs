using System.Globalization;
using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Patterns;

/// <summary>The JSON of <c>heads</c>.</summary>
/// <param name="Model">The model.</param>
/// <param name="Tokens">The prompt.</param>
/// <param name="Heads">Every query head, ordered by layer and head.</param>
/// <param name="LeftOut">Scores that cannot be told, and why.</param>
internal sealed record HeadScoresAnswer(
    string Model, int[] Tokens, IReadOnlyList<ScoredHead> Heads, IReadOnlyDictionary<string, string> LeftOut)
{
    public static HeadScoresAnswer Of(string model, PromptPatterns prompt) => new(
        model,
        prompt.Tokens,
        [.. from layer in prompt.Layers
            from head in PromptPatterns.QueryHeadsOf(layer)
            select new ScoredHead(head.Report.Head.Layer, head.Head, HeadScores.Of(head.Report.Patterns![0].Matrix(head.Place), prompt.Tokens))],
        new Dictionary<string, string> { ["punctuation"] = "the model has no tokenizer, so nobody knows which tokens are punctuation" });

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

    private static string Share(double? share) => share?.Percent() ?? "-";

    private static string Number(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
}

/// <summary>One query head.</summary>
internal sealed record ScoredHead(int Layer, int Head, HeadScores Scores);
