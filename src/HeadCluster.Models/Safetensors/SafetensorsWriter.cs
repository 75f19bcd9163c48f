using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace HeadCluster.Models;

/// <summary>A tensor to write.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its dimensions, the last one contiguous; none for a scalar.</param>
/// <param name="Values">Its elements, row-major.</param>
public sealed record NamedTensor(string Name, IReadOnlyList<long> Shape, ReadOnlyMemory<float> Values);

/// <summary>Writes float32 tensors as a safetensors file.</summary>
public static class SafetensorsWriter
{
    // The data begins at a multiple of this, so that whoever maps the file finds floats aligned.
    private const int Alignment = 8;
    private const int RunElements = 1 << 14;

    /// <summary>Writes a file, or writes over it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">What it holds, in this order; each name once.</param>
    /// <param name="metadata">What else its header says; null for nothing.</param>
    /// <exception cref="ArgumentException">A name is there twice, or a shape does not fit its values.</exception>
    public static void Write(string path, IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        Check(tensors);
        var header = Header(tensors, metadata);
        var padding = (Alignment - (header.Length % Alignment)) % Alignment;

        using var file = File.Create(path);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)(header.Length + padding));
        file.Write(length);
        file.Write(header);
        file.Write("        "u8[..padding]);
        var buffer = new byte[RunElements * sizeof(float)];
        foreach (var tensor in tensors)
        {
            WriteValues(file, tensor.Values.Span, buffer);
        }
    }

    private static void Check(IReadOnlyList<NamedTensor> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"the name {Quote.Text(tensor.Name)} is taken", nameof(tensors));
            }

            var elements = tensor.Shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
            if (elements != tensor.Values.Length || tensor.Shape.Any(dimension => dimension < 0))
            {
                throw new ArgumentException(
                    $"{Quote.Text(tensor.Name)} has {tensor.Values.Length} values; its shape is {Quote.Shape(tensor.Shape)}", nameof(tensors));
            }
        }
    }

    private static ReadOnlySpan<byte> Header(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        if (metadata is not null)
        {
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        var begin = 0L;
        foreach (var tensor in tensors)
        {
            var end = begin + ((long)tensor.Values.Length * sizeof(float));
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", "F32");
            WriteNumbers(json, "shape", tensor.Shape);
            WriteNumbers(json, "data_offsets", [begin, end]);
            json.WriteEndObject();
            begin = end;
        }

        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan;
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static void WriteValues(FileStream file, ReadOnlySpan<float> values, byte[] buffer)
    {
        while (!values.IsEmpty)
        {
            var run = values[..Math.Min(RunElements, values.Length)];
            for (var i = 0; i < run.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(buffer.AsSpan(i * sizeof(float)), run[i]);
            }

            file.Write(buffer, 0, run.Length * sizeof(float));
            values = values[run.Length..];
        }
    }
}
