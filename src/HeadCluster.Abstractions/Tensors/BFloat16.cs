using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster;

/// <summary>
/// The upper half of a float32: its sign, its exponent and seven bits of its fraction. The arithmetic is that of integers, so that
/// all processors give the same bits.
/// </summary>
internal static class BFloat16
{
    private const int DroppedBits = 16;

    // Half a unit in the last place that is kept, less one: with the lowest kept bit added, halves go to the even neighbour.
    private const uint AlmostHalf = 0x7FFF;

    private const uint KeptBits = 0xFFFF_0000;
    private const uint MagnitudeBits = 0x7FFF_FFFF;
    private const uint Infinity = 0x7F80_0000;

    // A NaN whose fraction is dropped would be an infinity.
    private const uint QuietBit = 0x0040_0000;

    /// <summary>Rounds each element to the nearest bfloat16, ties to even. A NaN stays one, and an infinity what it is.</summary>
    /// <param name="source">The elements.</param>
    /// <param name="destination">The rounded elements as float32; as long as the source, and may be the source.</param>
    public static void Round(ReadOnlySpan<float> source, Span<float> destination)
    {
        var from = MemoryMarshal.Cast<float, uint>(source);
        var to = MemoryMarshal.Cast<float, uint>(destination)[..from.Length];
        var i = 0;
        for (; i <= from.Length - Vector512<uint>.Count; i += Vector512<uint>.Count)
        {
            RoundBits(Vector512.Create(from[i..])).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = RoundBits(Vector512.Create(from[i])).ToScalar();
        }
    }

    /// <summary>Takes the upper halves of elements that are bfloat16 already.</summary>
    /// <param name="source">The elements.</param>
    /// <param name="destination">As long as the source.</param>
    public static void Narrow(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        var from = MemoryMarshal.Cast<float, uint>(source);
        var to = destination[..from.Length];
        var i = 0;
        for (; i <= from.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            Vector512.Narrow(Vector512.Create(from[i..]) >> DroppedBits, Vector512.Create(from[(i + Vector512<uint>.Count)..]) >> DroppedBits).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = (ushort)(from[i] >> DroppedBits);
        }
    }

    /// <summary>Makes float32 of bfloat16, exactly.</summary>
    /// <param name="source">The upper halves.</param>
    /// <param name="destination">As long as the source.</param>
    public static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        var to = MemoryMarshal.Cast<float, uint>(destination)[..source.Length];
        var i = 0;
        for (; i <= source.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            var (low, high) = Vector512.Widen(Vector512.Create(source[i..]));
            (low << DroppedBits).CopyTo(to[i..]);
            (high << DroppedBits).CopyTo(to[(i + Vector512<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            to[i] = (uint)source[i] << DroppedBits;
        }
    }

    private static Vector512<uint> RoundBits(Vector512<uint> bits)
    {
        var isNaN = Vector512.GreaterThan(bits & Vector512.Create(MagnitudeBits), Vector512.Create(Infinity));
        var lowestKept = (bits >> DroppedBits) & Vector512<uint>.One;
        var rounded = bits + Vector512.Create(AlmostHalf) + lowestKept;
        return Vector512.ConditionalSelect(isNaN, bits | Vector512.Create(QuietBit), rounded) & Vector512.Create(KeptBits);
    }
}
