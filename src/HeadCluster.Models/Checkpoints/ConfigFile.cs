using System.Text.Json;
using System.Text.Unicode;

namespace HeadCluster.Models;

/// <summary>A model's <c>config.json</c>. Every key is checked as it is read; null counts as absent.</summary>
internal sealed class ConfigFile
{
    /// <summary>The name of the file in a model's directory.</summary>
    public const string Name = "config.json";

    /// <summary>The most that any size may be: products of two sizes then fit in 64 bits with room to spare.</summary>
    public const int LargestSize = 1 << 24;

    // A configuration takes a few kB; larger is some other file.
    private const int MostBytes = 1 << 20;

    private readonly JsonElement _root;

    private ConfigFile(string path, JsonElement root)
    {
        Path = path;
        _root = root;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    public static ConfigFile Open(string directory)
    {
        var path = System.IO.Path.Combine(directory, Name);
        if (!File.Exists(path))
        {
            throw new ModelException($"{directory}: has no {Name}; a model is a directory with {Name} and *.safetensors");
        }

        try
        {
            var bytes = ReadBytes(path);
            if (!Utf8.IsValid(bytes.Span))
            {
                throw new ModelException($"{path}: is not UTF-8");
            }

            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigFile(path, json.RootElement.Clone())
                : throw new ModelException($"{path}: is {json.RootElement.ValueKind}, not a JSON object");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair, which is JSON but not text.
            throw new ModelException($"{path}: is not valid JSON: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Whether the key is there with a value other than null and false.</summary>
    public bool Has(string key) => Find(key) is { ValueKind: not JsonValueKind.False };

    /// <summary>A whole number from 1 up; the first of the keys that is there.</summary>
    public int Size(params ReadOnlySpan<string> keys) => OptionalSize(keys)
        ?? throw new ModelException($"{Path}: {Keys(keys)} is missing; expected a whole number from 1 to {LargestSize}");

    /// <summary>A whole number from 1 up, or null where none of the keys is there.</summary>
    public int? OptionalSize(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Find(key) is { } value)
            {
                return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number is >= 1 and <= LargestSize
                    ? number
                    : throw Invalid(key, value, $"a whole number from 1 to {LargestSize}");
            }
        }

        return null;
    }

    /// <summary>A number above 0.</summary>
    public float? OptionalPositive(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var number) && number > 0 && float.IsFinite(number)
            ? number
            : throw Invalid(key, value, "a number above 0");
    }

    public bool Flag(string key, bool otherwise)
    {
        if (Find(key) is not { } value)
        {
            return otherwise;
        }

        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Invalid(key, value, "true or false"),
        };
    }

    public string? OptionalText(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid(key, value, "a string");
        }
        catch (InvalidOperationException)
        {
            throw Invalid(key, value, "text without halves of surrogate pairs");
        }
    }

    /// <summary>What one of two sizes is of the other; it must divide it.</summary>
    public int Share(string whole, int wholeSize, string part, int partSize) => wholeSize % partSize == 0
        ? wholeSize / partSize
        : throw new ModelException($"{Path}: '{part}' is {partSize}, which does not divide '{whole}', {wholeSize}");

    public ModelException Invalid(string key, string expected) => Invalid(key, _root.GetProperty(key), expected);

    private static ReadOnlyMemory<byte> ReadBytes(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[MostBytes + 1];
        var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count <= MostBytes ? bytes.AsMemory(0, count) : throw new ModelException($"{path}: is too large; expected {MostBytes} bytes at most");
    }

    private ModelException Invalid(string key, JsonElement value, string expected) =>
        new($"{Path}: '{key}' is {Quote.Text(value.GetRawText())}; expected {expected}");

    private JsonElement? Find(string key) =>
        _root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Keys(ReadOnlySpan<string> keys) => $"'{string.Join("' or '", keys)}'";
}
