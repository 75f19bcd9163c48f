using System.Globalization;
using HeadCluster.Models;

namespace HeadCluster.Grains;

/// <summary>
/// Refuses a request, valid by itself, whose arrays or reply would be too large, before any of them is allocated. A reply is
/// held to what a message holds even where none is sent: where grains are must not decide whether a request is served.
/// </summary>
internal static class RequestSize
{
    // What a pattern takes in a message besides its elements: rank, axes, field and length, rounded up.
    private const int PatternOverhead = 32;

    /// <summary>Checks what one head computes and answers.</summary>
    public static void CheckHead(string where, ModelConfiguration model, int rows, int[] sequenceLengths, bool patterns)
    {
        var shape = model.HeadShape();
        CheckArray(where, rows, shape.ProjectionDim, "queries, keys and values");
        CheckReply(where, Bytes(rows, shape.OutputDim) + (patterns ? PatternBytes(shape.QueryHeads, sequenceLengths) : 0));
    }

    /// <summary>Checks what a layer concatenates and answers.</summary>
    public static void CheckLayer(string where, ModelConfiguration model, int rows, int[] sequenceLengths, bool patterns)
    {
        CheckArray(where, rows, model.HeadCount * model.ValueDim, "the heads side by side");
        CheckReply(where, Bytes(rows, model.ModelDim) + (patterns ? LayerPatternBytes(model, sequenceLengths) : 0));
    }

    /// <summary>Checks what a whole model sends to its layers, computes and answers.</summary>
    public static void CheckForward(string where, ModelConfiguration model, int rows, int[] sequenceLengths, ForwardCapture capture)
    {
        CheckMessage(where, Bytes(rows, model.ModelDim) + ((Int128)sequenceLengths.Length * WireLimits.IntegerBytes), "what a layer is sent");
        CheckArray(where, rows, model.Transformer!.FeedForwardDim, "the feed-forward layer");
        CheckReply(
            where,
            Bytes(rows, model.Transformer.VocabularySize)
                + (capture.HasFlag(ForwardCapture.Blocks) ? model.LayerCount * Bytes(rows, model.ModelDim) : 0)
                + (capture.HasFlag(ForwardCapture.Patterns) ? model.LayerCount * LayerPatternBytes(model, sequenceLengths) : 0));
    }

    private static Int128 Bytes(int rows, int columns) => (Int128)rows * columns * sizeof(float);

    private static Int128 LayerPatternBytes(ModelConfiguration model, int[] sequenceLengths) =>
        model.KvHeadCount * PatternBytes(model.QueryHeadsPerKvHead, sequenceLengths);

    // One [queryHeads, length, length] a sequence.
    private static Int128 PatternBytes(int queryHeads, int[] sequenceLengths)
    {
        Int128 bytes = 0;
        foreach (var length in sequenceLengths)
        {
            bytes += ((Int128)queryHeads * length * length * sizeof(float)) + PatternOverhead;
        }

        return bytes;
    }

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
