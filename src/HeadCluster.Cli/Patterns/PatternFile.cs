using System.Globalization;
using System.Text.Json;

namespace HeadCluster.Cli.Patterns;

/// <summary>Patterns as JSON that others draw; tokens are shown as their ids. docs/patterns.md says how the files are loaded.</summary>
internal static class PatternFile
{
    /// <summary>
    /// Writes what <c>circuitsvis.attention.attention_heads</c> takes, each under its name: <c>attention</c> as [heads, queries, keys] with
    /// the layers one after the other, <c>tokens</c> and <c>attention_head_names</c>.
    /// </summary>
    public static void WriteCircuitsVis(string path, PromptPatterns prompt) => Write(path, prompt, json =>
    {
        json.WriteStartArray("attention_head_names");
        foreach (var (layer, head, _, _) in Heads(prompt))
        {
            json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"L{layer}H{head}"));
        }

        json.WriteEndArray();
        json.WriteStartArray("attention");
        foreach (var (_, _, pattern, place) in Heads(prompt))
        {
            WriteMatrix(json, pattern, place);
        }

        json.WriteEndArray();
    });

    /// <summary>Writes what <c>bertviz.head_view</c> and <c>model_view</c> take: <c>attention</c> as one [1, heads, queries, keys] a layer, and <c>tokens</c>.</summary>
    public static void WriteBertViz(string path, PromptPatterns prompt) => Write(path, prompt, json =>
    {
        json.WriteStartArray("attention");
        foreach (var layer in prompt.Layers)
        {
            json.WriteStartArray();
            json.WriteStartArray();
            foreach (var (_, report, place) in PromptPatterns.QueryHeadsOf(layer))
            {
                WriteMatrix(json, report.Patterns![0], place);
            }

            json.WriteEndArray();
            json.WriteEndArray();
        }

        json.WriteEndArray();
    });

    private static IEnumerable<(int Layer, int Head, HeadPattern Pattern, int Place)> Heads(PromptPatterns prompt) =>
        from layer in prompt.Layers
        from head in PromptPatterns.QueryHeadsOf(layer)
        select (head.Report.Head.Layer, head.Head, head.Report.Patterns![0], head.Place);

    private static void Write(string path, PromptPatterns prompt, Action<Utf8JsonWriter> write)
    {
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteStartArray("tokens");
        foreach (var token in prompt.Tokens)
        {
            json.WriteStringValue(token.ToString(CultureInfo.InvariantCulture));
        }

        json.WriteEndArray();
        write(json);
        json.WriteEndObject();
    }

    private static void WriteMatrix(Utf8JsonWriter json, HeadPattern pattern, int place)
    {
        json.WriteStartArray();
        for (var row = 0; row < pattern.Length; row++)
        {
            json.WriteStartArray();
            foreach (var share in pattern.Row(place, row))
            {
                json.WriteNumberValue(share);
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
    }
}
