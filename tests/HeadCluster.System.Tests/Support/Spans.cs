namespace HeadCluster.System.Tests;

/// <summary>A span as the console exporter prints it.</summary>
internal sealed record Span(string Id, string? ParentId, string Name, string? Silo);

/// <summary>Reads the spans that processes have printed.</summary>
internal static class Spans
{
    private const string NameLine = "Activity.DisplayName:";
    private const string IdLine = "Activity.SpanId:";
    private const string ParentLine = "Activity.ParentSpanId:";
    private const string SiloLine = "headcluster.silo:";

    public static Dictionary<string, Span> Parse(params IEnumerable<string> lines)
    {
        var spans = new Dictionary<string, Span>();
        var id = "";
        foreach (var line in lines.Select(line => line.Trim()))
        {
            if (Value(line, IdLine) is { } spanId)
            {
                id = spanId;
                spans[id] = new Span(id, null, "", null);
            }
            else if (spans.TryGetValue(id, out var span))
            {
                spans[id] = span with
                {
                    ParentId = Value(line, ParentLine) ?? span.ParentId,
                    Name = Value(line, NameLine) ?? span.Name,
                    Silo = Value(line, SiloLine) ?? span.Silo,
                };
            }
        }

        return spans;
    }

    /// <summary>The nearest span of this name above another.</summary>
    public static Span? Above(this Dictionary<string, Span> spans, Span span, string name)
    {
        var above = span.ParentId is { } id ? spans.GetValueOrDefault(id) : null;
        return above is null || above.Name == name ? above : spans.Above(above, name);
    }

    private static string? Value(string line, string name) =>
        line.StartsWith(name, StringComparison.Ordinal) ? line[name.Length..].Trim() : null;
}
