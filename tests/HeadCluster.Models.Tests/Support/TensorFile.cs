using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace HeadCluster.Models.Tests;

/// <summary>Writes safetensors files of any type by the format's definition, apart from the writer under test.</summary>
internal static class TensorFile
{
    /// <summary>The types that can be read as floats.</summary>
    public static TensorType[] Types { get; } = [TensorType.F32, TensorType.F16, TensorType.BF16];

    /// <summary>The bytes of a file with these tensors, all of one type.</summary>
    public static byte[] Bytes(TensorType type, params IReadOnlyList<NamedTensor> tensors)
    {
        var header = new JsonObject();
        var data = new MemoryStream();
        foreach (var tensor in tensors)
        {
            var begin = data.Length;
            foreach (var value in tensor.Values.Span)
            {
                data.Write(Encode(type, value));
            }

            header[tensor.Name] = new JsonObject
            {
                ["dtype"] = $"{type}",
                ["shape"] = new JsonArray([.. tensor.Shape.Select(dimension => (JsonNode)dimension)]),
                ["data_offsets"] = new JsonArray(begin, data.Length),
            };
        }

        return Bytes(header.ToJsonString(), data.ToArray());
    }

    /// <summary>The bytes of a file with this header and data.</summary>
    public static byte[] Bytes(string header, params byte[] data) => Bytes(Encoding.UTF8.GetBytes(header), data);

    /// <summary>The bytes of a file with this header and data.</summary>
    public static byte[] Bytes(byte[] header, byte[] data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }

    public static int Size(TensorType type) => type == TensorType.F32 ? 4 : 2;

    private static byte[] Encode(TensorType type, float value) => type switch
    {
        TensorType.F32 => BitConverter.GetBytes(value),
        TensorType.F16 => BitConverter.GetBytes((Half)value),
        TensorType.BF16 => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)),
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
