using System.Globalization;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>
/// Refuses a request, valid by itself, whose arrays or reply would be too large, before any of them is allocated. A reply is
/// held to what a message holds even where none is sent: where grains are must not decide whether a request is served.
/// </summary>
internal static class RequestSize
{
    /// <summary>Checks what one head computes and answers.</summary>
    /// <param name="where">The head, for errors.</param>
    /// <param name="model">The sizes.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="sequenceLengths">Rows of each sequence.</param>
    /// <param name="patterns">What of this head's patterns is captured, within limits; null for nothing.</param>
    public static void CheckHead(string where, ModelConfiguration model, int rows, int[] sequenceLengths, PatternSelection? patterns)
    {
        var shape = model.HeadShape();
        CheckArray(where, rows, shape.ProjectionDim, "queries, keys and values");
        CheckReply(where, Bytes(rows, shape.OutputDim) + (patterns is null ? 0 : PatternLimits.Bytes(patterns, shape.QueryHeads, sequenceLengths)));
    }

    /// <summary>Checks what a layer concatenates and answers.</summary>
    public static void CheckLayer(LayerId layer, ModelConfiguration model, int rows, int[] sequenceLengths, PatternSelection? patterns)
    {
        var where = layer.ToString();
        CheckArray(where, rows, model.HeadCount * model.ValueDim, "the heads side by side");
        CheckReply(where, Bytes(rows, model.ModelDim) + LayerPatternBytes(layer.Layer, model, sequenceLengths, patterns));
    }

    /// <summary>Checks what a whole model sends to its layers, computes and answers.</summary>
    /// <param name="where">The model, for errors.</param>
    /// <param name="model">The sizes.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="sequenceLengths">Tokens of each sequence.</param>
    /// <param name="logits">How many of the tokens get logits.</param>
    /// <param name="capture">What else is captured.</param>
    /// <param name="patterns">What of the patterns is captured, within limits; null for nothing.</param>
    public static void CheckForward(
        string where, ModelConfiguration model, int rows, int[] sequenceLengths, int logits, ForwardCapture capture, PatternSelection? patterns)
    {
        CheckMessage(where, Bytes(rows, model.ModelDim) + ((Int128)sequenceLengths.Length * WireLimits.IntegerBytes), "what a layer is sent");
        CheckArray(where, rows, model.Transformer!.FeedForwardDim, "the feed-forward layer");
        CheckReply(
            where,
            Bytes(logits, model.Transformer.VocabularySize)
                + (capture.HasFlag(ForwardCapture.Blocks) ? model.LayerCount * Bytes(rows, model.ModelDim) : 0)
                + PatternBytes(model, sequenceLengths, patterns));
    }

    /// <summary>What the patterns of a whole model take in a message, in bytes.</summary>
    public static Int128 PatternBytes(ModelConfiguration model, int[] sequenceLengths, PatternSelection? patterns)
    {
        Int128 bytes = 0;
        for (var layer = 0; layer < model.LayerCount; layer++)
        {
            bytes += LayerPatternBytes(layer, model, sequenceLengths, patterns);
        }

        return bytes;
    }

    private static Int128 Bytes(int rows, int columns) => (Int128)rows * columns * sizeof(float);

    private static Int128 LayerPatternBytes(int layer, ModelConfiguration model, int[] sequenceLengths, PatternSelection? patterns) =>
        patterns is null || !patterns.Includes(layer)
            ? 0
            : (patterns.Heads?.Distinct().Count() ?? model.KvHeadCount) * PatternLimits.Bytes(patterns, model.QueryHeadsPerKvHead, sequenceLengths);

    private static void CheckArray(string where, int rows, int columns, string what)
    {
        if ((long)rows * columns > FloatTensor.MaxLength)
        {
            throw TooLarge(
                $"{where}: {what} of {rows} rows have {(long)rows * columns} elements; an array holds at most {FloatTensor.MaxLength}: send fewer rows");
        }
    }

    private static void CheckReply(string where, Int128 bytes) => CheckMessage(where, bytes, "the reply");

    private static void CheckMessage(string where, Int128 bytes, string what)
    {
        if (bytes > WireLimits.MaxPayloadBytes)
        {
            throw TooLarge(
                $"{where}: {what} takes {bytes} bytes; one message holds at most {WireLimits.MaxPayloadBytes}: send fewer rows or capture less");
        }
    }

    private static HeadClusterException TooLarge(FormattableString message) =>
        HeadClusterException.InvalidInput(message.ToString(CultureInfo.InvariantCulture));
}
