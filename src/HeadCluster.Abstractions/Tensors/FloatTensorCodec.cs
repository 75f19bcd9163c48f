using System.Buffers;
using System.Runtime.InteropServices;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace HeadCluster;

/// <summary>
/// Writes a <see cref="FloatTensor"/> as one length-prefixed field: rank and precision, axes, then the elements, all little-endian.
/// Every length is checked against the bytes that have arrived before anything is allocated.
/// </summary>
[RegisterSerializer]
internal sealed class FloatTensorCodec : IFieldCodec<FloatTensor>
{
    // The first four bytes hold the rank, and the precision from this bit on.
    private const int PrecisionShift = 8;
    private const int RankMask = (1 << PrecisionShift) - 1;

    // Elements that are converted at a time, on the stack.
    private const int ChunkElements = 2048;

    /// <inheritdoc/>
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, FloatTensor? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
        {
            return;
        }

        var elements = value.Span;
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(FloatTensor), WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)(HeaderBytes(value.Rank) + (elements.Length * value.BytesPerElement)));
        writer.WriteInt32(value.Rank | ((int)value.Precision << PrecisionShift));
        foreach (var axis in value.Shape)
        {
            writer.WriteInt32(axis);
        }

        if (value.Precision == WirePrecision.BFloat16)
        {
            WriteHalves(ref writer, elements);
        }
        else
        {
            writer.Write(MemoryMarshal.AsBytes(elements));
        }

        if (value.IsReleasedWhenSent)
        {
            value.Release();
        }
    }

    /// <inheritdoc/>
    public FloatTensor? ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<FloatTensor, TInput>(ref reader, field);
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        var bytes = reader.ReadVarUInt32();
        reader.EnsureAvailable(bytes);

        var form = bytes >= sizeof(int) ? reader.ReadInt32() : -1;
        var (rank, precision) = (form & RankMask, (WirePrecision)(form >> PrecisionShift));
        if (rank > FloatTensor.MaxRank || precision is not (WirePrecision.Float32 or WirePrecision.BFloat16) || bytes < HeaderBytes(rank))
        {
            throw Malformed($"rank {rank} and precision {precision} in {bytes} bytes");
        }

        Span<int> shape = stackalloc int[rank];
        foreach (ref var axis in shape)
        {
            axis = reader.ReadInt32();
        }

        var elementBytes = precision == WirePrecision.BFloat16 ? sizeof(ushort) : sizeof(float);
        if (!FloatTensor.TryCountElements(shape, out var length) || ((long)length * elementBytes) + HeaderBytes(rank) != bytes)
        {
            throw Malformed($"shape {FloatTensor.Describe(shape)} in {bytes} bytes");
        }

        var tensor = FloatTensor.Rent(precision, out var data, shape);
        if (precision == WirePrecision.BFloat16)
        {
            ReadHalves(ref reader, data.AsSpan(0, length));
        }
        else
        {
            reader.ReadBytes(MemoryMarshal.AsBytes(data.AsSpan(0, length)));
        }

        ReferenceCodec.RecordObject(reader.Session, tensor);
        return tensor;
    }

    private static void WriteHalves<TBufferWriter>(ref Writer<TBufferWriter> writer, ReadOnlySpan<float> elements)
        where TBufferWriter : IBufferWriter<byte>
    {
        Span<ushort> halves = stackalloc ushort[ChunkElements];
        for (var first = 0; first < elements.Length; first += ChunkElements)
        {
            var count = Math.Min(ChunkElements, elements.Length - first);
            BFloat16.Narrow(elements.Slice(first, count), halves);
            writer.Write(MemoryMarshal.AsBytes(halves[..count]));
        }
    }

    private static void ReadHalves<TInput>(ref Reader<TInput> reader, Span<float> elements)
    {
        Span<ushort> halves = stackalloc ushort[ChunkElements];
        for (var first = 0; first < elements.Length; first += ChunkElements)
        {
            var count = Math.Min(ChunkElements, elements.Length - first);
            reader.ReadBytes(MemoryMarshal.AsBytes(halves[..count]));
            BFloat16.Widen(halves[..count], elements[first..]);
        }
    }

    private static int HeaderBytes(int rank) => sizeof(int) * (1 + rank);

    private static InvalidDataException Malformed(string found) => new($"not a tensor: {found}");
}
