using System.Text.Json;
using System.Text.Unicode;

namespace HeadCluster.Models;

/// <summary>
/// The JSON header of a safetensors file: <c>{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}</c> and
/// perhaps <c>"__metadata__": {"key": "value", …}</c>. Whoever holds one knows that the tensors fill the data exactly, in some
/// order, without gap or overlap, each as large as its type and shape say.
/// </summary>
internal sealed class SafetensorsHeader
{
    private const string MetadataKey = "__metadata__";
    private const int MostDimensions = 8;

    private readonly string _file;
    private readonly Dictionary<string, TensorInfo> _tensors = new(StringComparer.Ordinal);
    private Dictionary<string, string>? _metadata;

    private SafetensorsHeader(string file)
    {
        _file = file;
    }

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    public IReadOnlyDictionary<string, string> Metadata => _metadata ??= [];

    /// <summary>Parses and checks a header.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="json">The header.</param>
    /// <param name="dataLength">Bytes of the file after the header.</param>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataLength)
    {
        var header = new SafetensorsHeader(file);
        if (!Utf8.IsValid(json))
        {
            throw header.Fail(SafetensorsErrorKind.InvalidHeader, "the header is not UTF-8");
        }

        try
        {
            header.Parse(json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair, which is JSON but not text.
            throw header.Fail(SafetensorsErrorKind.InvalidHeaderDeserialization, "the header is not valid JSON", error);
        }

        header.CheckExtents(dataLength);
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        Expect(ref reader, JsonTokenType.StartObject, "the header");
        while (NextProperty(ref reader) is { } name)
        {
            if (name == MetadataKey)
            {
                ParseMetadata(ref reader);
            }
            else if (!_tensors.TryAdd(name, ParseTensor(ref reader, name)))
            {
                throw Malformed($"{Quote.Text(name)} is there twice");
            }
        }

        // Nothing but white space may follow; anything else throws here.
        reader.Read();
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (_metadata is not null)
        {
            throw Malformed($"{MetadataKey} is there twice");
        }

        _metadata = new(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, MetadataKey);
        while (NextProperty(ref reader) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, $"{MetadataKey} {Quote.Text(key)}");
            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw Malformed($"{MetadataKey} {Quote.Text(key)} is there twice");
            }
        }
    }

    private TensorInfo ParseTensor(ref Utf8JsonReader reader, string name)
    {
        TensorType? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, Quote.Text(name));
        while (NextProperty(ref reader) is { } property)
        {
            switch (property)
            {
                case "dtype" when type is null:
                    type = ParseType(ref reader, name);
                    break;
                case "shape" when shape is null:
                    shape = ParseNumbers(ref reader, name, property, MostDimensions);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseNumbers(ref reader, name, property, most: 2);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Malformed($"{property} of {Quote.Text(name)} is there twice");
                default:
                    reader.Skip();
                    break;
            }
        }

        return type is { } known && shape is not null && offsets is [var begin, var end]
            ? new TensorInfo(name, known, shape, begin, end)
            : throw Malformed($"{Quote.Text(name)} needs a dtype, a shape and two data_offsets");
    }

    private TensorType ParseType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, $"dtype of {Quote.Text(name)}");
        var text = reader.GetString()!;
        return TensorTypes.TryParse(text, out var type) ? type : throw Malformed($"{Quote.Text(name)} has the unknown dtype {Quote.Text(text)}");
    }

    private List<long> ParseNumbers(ref Utf8JsonReader reader, string name, string property, int most)
    {
        Expect(ref reader, JsonTokenType.StartArray, $"{property} of {Quote.Text(name)}");
        List<long> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                throw Malformed($"{property} of {Quote.Text(name)} is not an array of whole numbers");
            }

            if (numbers.Count == most)
            {
                throw Malformed($"{property} of {Quote.Text(name)} has more than {most} numbers");
            }

            numbers.Add(reader.TryGetInt64(out var number)
                ? number
                : throw Fail(SafetensorsErrorKind.ValidationOverflow, $"{property} of {Quote.Text(name)} does not fit in 64 bits"));
        }

        return numbers;
    }

    /// <summary>Moves past a property's name to the first token of its value; null at the end of the object.</summary>
    private static string? NextProperty(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        var name = reader.GetString();
        reader.Read();
        return name;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (reader.TokenType != type)
        {
            throw Malformed($"{what} is {reader.TokenType}, not {type}");
        }
    }

    private void CheckExtents(long dataLength)
    {
        var next = 0L;
        foreach (var tensor in _tensors.Values.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End))
        {
            if (tensor.Begin != next || tensor.End < tensor.Begin)
            {
                throw Fail(
                    SafetensorsErrorKind.InvalidOffset,
                    $"{Quote.Text(tensor.Name)} is at {tensor.Begin}…{tensor.End}; the next tensor was expected at {next}");
            }

            CheckSize(tensor);
            next = tensor.End;
        }

        if (next != dataLength)
        {
            throw Fail(
                SafetensorsErrorKind.MetadataIncompleteBuffer,
                $"the tensors take {next} bytes and the file has {dataLength} after its header; is it truncated?");
        }
    }

    private void CheckSize(TensorInfo tensor)
    {
        ulong bits = 1;
        try
        {
            checked
            {
                foreach (var dimension in tensor.Shape)
                {
                    bits *= (ulong)dimension;
                }

                bits *= (ulong)tensor.Type.Bits();
            }
        }
        catch (OverflowException error)
        {
            throw Fail(SafetensorsErrorKind.ValidationOverflow, $"the size of {Quote.Text(tensor.Name)} does not fit in 64 bits", error);
        }

        if (bits % 8 != 0)
        {
            throw Fail(SafetensorsErrorKind.MisalignedSlice, $"{Quote.Text(tensor.Name)} takes {bits} bits, not whole bytes");
        }

        if (bits / 8 != (ulong)(tensor.End - tensor.Begin))
        {
            throw Fail(
                SafetensorsErrorKind.TensorInvalidInfo,
                $"{Quote.Text(tensor.Name)} has {tensor.End - tensor.Begin} bytes; its dtype and shape take {bits / 8}");
        }
    }

    private SafetensorsException Malformed(string what) => Fail(SafetensorsErrorKind.InvalidHeaderDeserialization, what);

    private SafetensorsException Fail(SafetensorsErrorKind kind, string what, Exception? cause = null) => new(kind, $"{_file}: {what}", cause);
}
