using System.Buffers.Binary;
using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Recorded.Onnx;

/// <summary>A TensorProto: row-major values as float32, integers rounded, booleans as 0 and 1.</summary>
internal sealed record OnnxTensor(string Name, int[] Shape, OnnxType Type, float[] Values)
{
    public static OnnxTensor Parse(ReadOnlySpan<byte> message)
    {
        var (name, shape, type) = ("", new List<int>(), default(OnnxType));
        ReadOnlySpan<byte> raw = default;
        for (var reader = new ProtobufReader(message); reader.Read();)
        {
            switch (reader.Field)
            {
                case 1:
                    shape.AddRange(reader.Integers().Select(length => (int)length));
                    break;
                case 2:
                    type = (OnnxType)reader.Integer;
                    break;
                case 8:
                    name = reader.Text;
                    break;
                case 9:
                    raw = reader.Bytes;
                    break;
                default:
                    throw new InvalidDataException($"field {reader.Field} of tensor {name}");
            }
        }

        var values = new float[shape.Aggregate(1, (product, length) => product * length)];
        var size = raw.Length / Math.Max(values.Length, 1);
        for (var i = 0; i < values.Length; i++)
        {
            var element = raw.Slice(i * size, size);
            values[i] = type switch
            {
                OnnxType.Float => BinaryPrimitives.ReadSingleLittleEndian(element),
                OnnxType.Half => (float)BinaryPrimitives.ReadHalfLittleEndian(element),
                OnnxType.Integer => BinaryPrimitives.ReadInt64LittleEndian(element),
                OnnxType.Boolean => element[0],
                _ => throw new InvalidDataException($"type {type} of tensor {name}"),
            };
        }

        return new OnnxTensor(name, [.. shape], type, values);
    }

    /// <summary>The product of the lengths of some axes.</summary>
    public int Count(Range axes) => Shape[axes].Aggregate(1, (product, length) => product * length);
}

/// <summary>TensorProto.DataType.</summary>
internal enum OnnxType
{
    None = 0,
    Float = 1,
    Integer = 7,
    Boolean = 9,
    Half = 10,
}
