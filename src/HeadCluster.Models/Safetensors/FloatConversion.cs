using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace HeadCluster.Models;

/// <summary>Stored elements as float32, exactly: both half formats are subsets of it.</summary>
internal static class FloatConversion
{
    /// <summary>Converts little-endian elements, which need not be aligned.</summary>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="source">As many elements as <paramref name="destination"/> has; those of F32 may lie there already.</param>
    /// <param name="destination">Where they go.</param>
    public static void Convert(TensorType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case TensorType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                if (!BitConverter.IsLittleEndian)
                {
                    var bits = MemoryMarshal.Cast<float, int>(destination);
                    BinaryPrimitives.ReverseEndianness(bits, bits);
                }

                break;
            case TensorType.F16:
                for (var i = 0; i < destination.Length; i++)
                {
                    destination[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
                }

                break;
            case TensorType.BF16:
                for (var i = 0; i < destination.Length; i++)
                {
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]) << 16);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
    }
}
