using System.Globalization;

namespace HeadCluster;

/// <summary>
/// Names one head: the unit of scheduling. A head is one key/value projection with the query heads that read it; in plain
/// multi-head attention that is exactly one head, with grouped queries it is the group that shares a key/value head.
/// </summary>
/// <remarks>The only place where keys of head grains are written and parsed: <c>model/layer/kvHead</c>.</remarks>
/// <param name="Model">Name of the model, without <c>/</c>.</param>
/// <param name="Layer">Index of the layer, from 0.</param>
/// <param name="KvHead">Index of the key/value head in its layer, from 0.</param>
[GenerateSerializer, Immutable, Alias("hc.HeadId")]
public readonly record struct HeadId([property: Id(0)] string Model, [property: Id(1)] int Layer, [property: Id(2)] int KvHead)
{
    /// <summary>The layer this head belongs to.</summary>
    public LayerId LayerId => new(Model, Layer);

    /// <summary>The grain key, <c>model/layer/kvHead</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Model}/{Layer}/{KvHead}");

    /// <summary>Reads a grain key back.</summary>
    /// <exception cref="HeadClusterException">The key has another form.</exception>
    public static HeadId Parse(string key) => TryParse(key, out var head)
        ? head
        : throw HeadClusterException.InvalidInput($"'{key}' does not name a head; expected model/layer/head, such as nano-gpt/0/2");

    /// <summary>Reads a grain key back, or returns false if it has another form.</summary>
    public static bool TryParse(string key, out HeadId head)
    {
        var cut = key.LastIndexOf('/');
        if (cut > 0 && GrainKey.TryParseIndex(key.AsSpan(cut + 1), out var index) && LayerId.TryParse(key[..cut], out var layer))
        {
            head = new HeadId(layer.Model, layer.Layer, index);
            return true;
        }

        head = default;
        return false;
    }
}

/// <summary>Names one attention layer of a model; its grain key is <c>model/layer</c>.</summary>
/// <param name="Model">Name of the model, without <c>/</c>.</param>
/// <param name="Layer">Index of the layer, from 0.</param>
[GenerateSerializer, Immutable, Alias("hc.LayerId")]
public readonly record struct LayerId([property: Id(0)] string Model, [property: Id(1)] int Layer)
{
    /// <summary>The grain key, <c>model/layer</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Model}/{Layer}");

    /// <summary>Reads a grain key back.</summary>
    /// <exception cref="HeadClusterException">The key has another form.</exception>
    public static LayerId Parse(string key) => TryParse(key, out var layer)
        ? layer
        : throw HeadClusterException.InvalidInput($"'{key}' does not name a layer; expected model/layer, such as nano-gpt/0");

    /// <summary>The head of this layer with the index <paramref name="kvHead"/>.</summary>
    public HeadId Head(int kvHead) => new(Model, Layer, kvHead);

    /// <summary>Reads a grain key back, or returns false if it has another form.</summary>
    public static bool TryParse(string key, out LayerId layer)
    {
        var cut = key.LastIndexOf('/');
        if (cut > 0 && !key.AsSpan(0, cut).Contains('/') && GrainKey.TryParseIndex(key.AsSpan(cut + 1), out var index))
        {
            layer = new LayerId(key[..cut], index);
            return true;
        }

        layer = default;
        return false;
    }
}

file static class GrainKey
{
    public static bool TryParseIndex(ReadOnlySpan<char> text, out int index) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index);
}
