using System.Globalization;
using HeadCluster.Hosting;
using HeadCluster.Models;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>
/// Checks what a request asks for of patterns at the edge of a grain, and holds it to this silo's limits: from there on the request
/// says itself how much each head keeps, wherever the head is.
/// </summary>
internal sealed class PatternLimits
{
    // What a pattern takes in a message besides its elements: rank, axes, fields and lengths, rounded up.
    private const int Overhead = 48;

    private readonly long _denseBytes;
    private readonly int _topCount;

    public PatternLimits(IOptions<HeadClusterOptions> options)
    {
        _denseBytes = options.Value.Patterns.DenseBytes;
        _topCount = options.Value.Patterns.TopCount;
    }

    /// <summary>The selection within the limits; null if there is none.</summary>
    /// <param name="where">The model, layer or head, for errors.</param>
    /// <param name="selection">What was asked for.</param>
    /// <param name="model">The model's sizes.</param>
    /// <exception cref="HeadClusterException">A layer or head is not in the model, or a number is out of range.</exception>
    public PatternSelection? Bound(string where, PatternSelection? selection, ModelConfiguration model)
    {
        if (selection is null)
        {
            return null;
        }

        CheckIndices(where, "layer", selection.Layers, model.LayerCount);
        CheckIndices(where, "head", selection.Heads, model.KvHeadCount);
        if (selection.DenseBytes is < 0)
        {
            throw Invalid($"{where}: patterns of at most {selection.DenseBytes} bytes were asked for; expected 0 or more");
        }

        if (selection.TopCount is < 1)
        {
            throw Invalid($"{where}: the {selection.TopCount} largest entries of each row of a pattern were asked for; expected 1 or more");
        }

        return selection with
        {
            DenseBytes = Math.Min(selection.DenseBytes ?? _denseBytes, _denseBytes),
            TopCount = selection.TopCount ?? _topCount,
        };
    }

    /// <summary>How many entries each row of a head's pattern keeps; null for all.</summary>
    /// <param name="selection">Within limits.</param>
    /// <param name="queryHeads">Query heads of the head.</param>
    /// <param name="length">Positions of the sequence.</param>
    public static int? Kept(PatternSelection selection, int queryHeads, int length) =>
        WholeBytes(queryHeads, length) <= selection.DenseBytes ? null : Math.Min(selection.TopCount!.Value, length);

    /// <summary>What one head's patterns take in a message, in bytes.</summary>
    /// <param name="selection">Within limits.</param>
    /// <param name="queryHeads">Query heads of the head.</param>
    /// <param name="sequenceLengths">Positions of each sequence.</param>
    public static Int128 Bytes(PatternSelection selection, int queryHeads, int[] sequenceLengths)
    {
        Int128 bytes = 0;
        foreach (var length in sequenceLengths)
        {
            bytes += Overhead + (Kept(selection, queryHeads, length) is { } kept
                ? (Int128)queryHeads * length * kept * (sizeof(float) + WireLimits.IntegerBytes)
                : WholeBytes(queryHeads, length));
        }

        return bytes;
    }

    private static Int128 WholeBytes(int queryHeads, int length) => (Int128)queryHeads * length * length * sizeof(float);

    private static void CheckIndices(string where, string what, int[]? indices, int count)
    {
        foreach (var index in indices ?? [])
        {
            if ((uint)index >= (uint)count)
            {
                throw Invalid($"{where}: the patterns of {what} {index} were asked for; expected 0 to {count - 1}");
            }
        }
    }

    private static HeadClusterException Invalid(FormattableString message) =>
        HeadClusterException.InvalidInput(message.ToString(CultureInfo.InvariantCulture));
}
