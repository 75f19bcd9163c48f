using System.Globalization;

namespace HeadCluster.Cli.Patterns;

/// <summary>The whole patterns of one prompt, head by head.</summary>
internal sealed class PromptPatterns
{
    /// <exception cref="HeadClusterException">The prompt is so long that the silos keep its patterns in part only.</exception>
    public PromptPatterns(int[] tokens, ForwardResult result)
    {
        Tokens = tokens;
        Layers = [.. result.Layers.Select(Captured).Where(layer => layer.Length > 0)];
        if (Layers.Any(layer => layer.Any(head => !head.Patterns![0].IsWhole)))
        {
            throw HeadClusterException.InvalidInput(string.Create(
                CultureInfo.InvariantCulture,
                $"the patterns of {tokens.Length} tokens are larger than the silos keep whole; give fewer tokens, or raise HeadCluster:Patterns:DenseBytes of the silos to {QueryHeads * 4L * tokens.Length * tokens.Length} or more"));
        }
    }

    /// <summary>The prompt.</summary>
    public int[] Tokens { get; }

    /// <summary>The heads of each layer that was captured, each with one pattern.</summary>
    public HeadReport[][] Layers { get; }

    private int QueryHeads => Layers[0][0].Patterns![0].QueryHeads;

    /// <summary>Every query head of a layer with its index in it, and its pattern as <c>[tokens, tokens]</c>.</summary>
    public static IEnumerable<(int Head, HeadReport Report, int Place)> QueryHeadsOf(HeadReport[] layer) =>
        from report in layer
        let queryHeads = report.Patterns![0].QueryHeads
        from place in Enumerable.Range(0, queryHeads)
        select ((report.Head.KvHead * queryHeads) + place, report, place);

    private static HeadReport[] Captured(HeadReport[] layer) => Array.FindAll(layer, head => head.Patterns is not null);
}
