using System.Globalization;
using System.Text;
using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Trace;

/// <summary>Draws where time went: each head a bar on its silo, and under them the output projection, which waits for the slowest.</summary>
internal static class Waterfall
{
    /// <summary>What the signs of a bar mean.</summary>
    public const string Legend = "· transfer  ░ queue  ▒ project  █ attend  ▓ output projection  ▞ feed-forward";

    /// <summary>One layer's table.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="scale">Microseconds that fill a bar; the same for all layers, so that they compare.</param>
    /// <param name="width">Signs of a bar.</param>
    public static Table Draw(LayerTrace layer, double scale, int width)
    {
        var table = Tables.Create($">layer {layer.Layer.Text()}", "silo", "", ">µs");
        foreach (var head in layer.Heads)
        {
            (char, double)[] parts =
            [
                ('·', head.TransferMicroseconds), ('░', head.QueueMicroseconds), ('▒', head.ProjectMicroseconds), ('█', head.AttendMicroseconds),
            ];
            table.Add($"head {head.Head.Text()}", head.Silo, Bar(parts, scale, width), parts.Sum(part => part.Item2).Microseconds());
        }

        var began = layer.AttentionMicroseconds - layer.OutputProjectionMicroseconds;
        table.Add("W_O", "", Bar([(' ', began), ('▓', layer.OutputProjectionMicroseconds)], scale, width), layer.OutputProjectionMicroseconds.Microseconds());
        if (layer.FeedForwardMicroseconds > 0)
        {
            (char, double)[] parts = [(' ', layer.AttentionMicroseconds), ('▞', layer.FeedForwardMicroseconds)];
            table.Add("FFN", "", Bar(parts, scale, width), layer.FeedForwardMicroseconds.Microseconds());
        }

        return table;
    }

    /// <summary>One line that says what the layer waited for.</summary>
    public static string Explain(LayerTrace layer)
    {
        var head = layer.Heads.First(head => head.Head == layer.Slowest.Head);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"  layer {layer.Layer}: {layer.AttentionMicroseconds:0.0} µs = transfer {layer.Slowest.TransferMicroseconds:0.0} + head {head.Head} on {head.Silo} (queue {head.QueueMicroseconds:0.0} + project {head.ProjectMicroseconds:0.0} + attend {head.AttendMicroseconds:0.0}) + output projection {layer.OutputProjectionMicroseconds:0.0} + rest {layer.Slowest.RestMicroseconds:0.0}");
    }

    /// <summary>Parts side by side. Each ends where its end rounds to, so that errors do not add up.</summary>
    public static string Bar(ReadOnlySpan<(char Sign, double Microseconds)> parts, double scale, int width)
    {
        var bar = new StringBuilder();
        var end = 0.0;
        foreach (var (sign, microseconds) in parts)
        {
            end += microseconds;
            var signs = (int)Math.Round(Math.Min(end / scale, 1) * width) - bar.Length;
            bar.Append(sign, Math.Max(0, signs));
        }

        return bar.ToString();
    }
}
