using System.Buffers;
using System.Runtime.InteropServices;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace HeadCluster;

/// <summary>
/// Writes a <see cref="FloatTensor"/> as one length-prefixed field: rank, axes, then the elements, all little-endian. Every
/// length is checked against the bytes that have arrived before anything is allocated.
/// </summary>
[RegisterSerializer]
internal sealed class FloatTensorCodec : IFieldCodec<FloatTensor>
{
    /// <inheritdoc/>
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, FloatTensor? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
        {
            return;
        }

        var elements = MemoryMarshal.AsBytes(value.Span);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(FloatTensor), WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)(HeaderBytes(value.Rank) + elements.Length));
        writer.WriteInt32(value.Rank);
        foreach (var axis in value.Shape)
        {
            writer.WriteInt32(axis);
        }

        writer.Write(elements);
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

        var rank = bytes >= sizeof(int) ? reader.ReadInt32() : -1;
        if (rank is < 0 or > FloatTensor.MaxRank || bytes < HeaderBytes(rank))
        {
            throw Malformed($"rank {rank} in {bytes} bytes");
        }

        Span<int> shape = stackalloc int[rank];
        foreach (ref var axis in shape)
        {
            axis = reader.ReadInt32();
        }

        if (!FloatTensor.TryCountElements(shape, out var length) || ((long)length * sizeof(float)) + HeaderBytes(rank) != bytes)
        {
            throw Malformed($"shape {FloatTensor.Describe(shape)} in {bytes} bytes");
        }

        var tensor = FloatTensor.Rent(out var data, shape);
        reader.ReadBytes(MemoryMarshal.AsBytes(data.AsSpan(0, length)));
        ReferenceCodec.RecordObject(reader.Session, tensor);
        return tensor;
    }

    private static int HeaderBytes(int rank) => sizeof(int) * (1 + rank);

    private static InvalidDataException Malformed(string found) => new($"not a tensor: {found}");
}
