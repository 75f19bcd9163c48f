using System.Globalization;

namespace HeadCluster.Models;

/// <summary>The sizes and the seed of a model of random weights.</summary>
/// <param name="Layers">Attention layers.</param>
/// <param name="ModelDim">Width of the residual stream.</param>
/// <param name="Heads">Query heads of a layer.</param>
/// <param name="KvHeads">Key/value heads of a layer.</param>
/// <param name="HeadDim">Elements of a query, key or value.</param>
/// <param name="Positions">The longest sequence.</param>
/// <param name="Bias">Whether the projections have biases.</param>
/// <param name="Seed">What the weights are made of.</param>
internal sealed record RandomShape(int Layers, int ModelDim, int Heads, int KvHeads, int HeadDim, int Positions, bool Bias, ulong Seed = 1)
{
    private const string Parameters = "seed, layers, model_dim, heads, kv_heads, head_dim, positions";

    // Products of two sizes fit in 32 bits.
    private const int LargestSize = 1 << 15;
    private const int MostPositions = 1 << 24;

    // Of all layers. Whoever plans for a model makes some entry for each.
    private const int MostHeads = 1 << 20;

    private static readonly Dictionary<string, RandomShape> Shapes = new(StringComparer.Ordinal)
    {
        ["nano"] = new(Layers: 3, ModelDim: 48, Heads: 3, KvHeads: 3, HeadDim: 16, Positions: 11, Bias: true),
        ["gpt2-small"] = new(Layers: 12, ModelDim: 768, Heads: 12, KvHeads: 12, HeadDim: 64, Positions: 1024, Bias: true),
        ["llama-110m"] = new(Layers: 12, ModelDim: 768, Heads: 12, KvHeads: 12, HeadDim: 64, Positions: 1024, Bias: false),
    };

    /// <summary>The built-in models, for messages.</summary>
    public static string Known { get; } = string.Join(", ", Shapes.Keys.Select(name => ModelLocation.RandomPrefix + name));

    /// <summary>Parses a location such as <c>random:gpt2-small?seed=1&amp;layers=2</c>.</summary>
    public static RandomShape Parse(string location)
    {
        var (name, query) = location[ModelLocation.RandomPrefix.Length..].Split('?', 2) switch
        {
            [var only] => (only, ""),
            var parts => (parts[0], parts[1]),
        };
        if (!Shapes.TryGetValue(name, out var shape))
        {
            throw Fail(location, $"there is no such shape; known: {Known}");
        }

        var parameters = Split(location, query);
        if (parameters.ContainsKey("heads") && !parameters.ContainsKey("kv_heads"))
        {
            parameters["kv_heads"] = parameters["heads"];
        }

        foreach (var (key, value) in parameters)
        {
            shape = shape.With(location, key, value);
        }

        if ((long)shape.Layers * shape.KvHeads > MostHeads)
        {
            throw Fail(location, $"{shape.Layers} layers of {shape.KvHeads} kv_heads are {(long)shape.Layers * shape.KvHeads} heads; expected at most {MostHeads}");
        }

        return shape.Heads % shape.KvHeads == 0
            ? shape
            : throw Fail(location, $"kv_heads is {shape.KvHeads}, which does not divide heads, {shape.Heads}");
    }

    private static Dictionary<string, string> Split(string location, string query)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parameter.Split('=') is not [var key, var value])
            {
                throw Fail(location, $"{Quote.Text(parameter)} is not of the form name=number; known names: {Parameters}");
            }

            if (!parameters.TryAdd(key, value))
            {
                throw Fail(location, $"{Quote.Text(key)} is there twice");
            }
        }

        return parameters;
    }

    private RandomShape With(string location, string key, string value) => key switch
    {
        "seed" => this with { Seed = Number(location, key, value, 0, ulong.MaxValue) },
        "layers" => this with { Layers = Size(location, key, value) },
        "model_dim" => this with { ModelDim = Size(location, key, value) },
        "heads" => this with { Heads = Size(location, key, value) },
        "kv_heads" => this with { KvHeads = Size(location, key, value) },
        "head_dim" => this with { HeadDim = Size(location, key, value) },
        "positions" => this with { Positions = (int)Number(location, key, value, 1, MostPositions) },
        _ => throw Fail(location, $"{Quote.Text(key)} is no parameter; known: {Parameters}"),
    };

    private static int Size(string location, string key, string value) => (int)Number(location, key, value, 1, LargestSize);

    private static ulong Number(string location, string key, string value, ulong least, ulong most) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Fail(location, $"{key} is {Quote.Text(value)}; expected a whole number from {least} to {most}");

    private static ModelException Fail(string location, string what) => new($"{Quote.Text(location)}: {what}");
}
