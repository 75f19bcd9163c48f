namespace HeadCluster.Models;

/// <summary>Puts what a file says into a message that stays one line of bearable length.</summary>
internal static class Quote
{
    private const int Longest = 120;

    public static string Text(string text)
    {
        var shown = text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Longest), "…");
        return $"'{string.Create(shown.Length, shown, static (line, from) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(from[i]) ? '?' : from[i];
            }
        })}'";
    }

    public static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
