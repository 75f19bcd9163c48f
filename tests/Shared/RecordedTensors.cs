using System.Runtime.InteropServices;
using System.Text.Json;

namespace HeadCluster.Tests;

/// <summary>The tensors of the recorded nano-gpt: JSON of <c>{"shape", "dtype", "data"}</c>, data in base64, float32, row-major.</summary>
internal sealed class RecordedTensors
{
    private readonly Dictionary<string, (int[] Shape, float[] Data)> _tensors = new(StringComparer.Ordinal);

    private RecordedTensors(JsonElement root)
    {
        foreach (var property in root.EnumerateObject().Where(property => property.Value.TryGetProperty("data", out _)))
        {
            var shape = property.Value.GetProperty("shape").EnumerateArray().Select(axis => axis.GetInt32()).ToArray();
            _tensors[property.Name] = (shape, MemoryMarshal.Cast<byte, float>(property.Value.GetProperty("data").GetBytesFromBase64()).ToArray());
        }
    }

    /// <summary>The weights.</summary>
    public static RecordedTensors Model => Read("gpt-nano-sort-model.json");

    /// <summary>Every intermediate of a batch of 3 sequences of 11 tokens.</summary>
    public static RecordedTensors Partials => Read("gpt-nano-sort-t0-partials.json");

    public IEnumerable<string> Names => _tensors.Keys;

    public float[] this[string name] => _tensors[name].Data;

    public int[] Shape(string name) => _tensors[name].Shape;

    private static RecordedTensors Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Cases.Find("nano-sort", file)));
        return new RecordedTensors(document.RootElement);
    }
}
