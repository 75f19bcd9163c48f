namespace HeadCluster;

/// <summary>
/// Which attention patterns a request keeps, and in what form. It changes no bit of what is computed, and where there is none,
/// nothing is computed for it.
/// </summary>
/// <param name="Layers">Indices of the layers; null for all.</param>
/// <param name="Heads">Indices of the key/value heads in each of these layers; null for all.</param>
/// <param name="DenseBytes">
/// The most bytes that one head's pattern of one sequence takes as a whole, 0 or more; of a larger one, each row keeps its largest
/// entries. Null, or more than the silo's own limit, for that limit.
/// </param>
/// <param name="TopCount">How many entries such a row keeps, 1 or more; null for the silo's own number.</param>
[GenerateSerializer, Immutable, Alias("hc.PatternSelection")]
public sealed record PatternSelection(
    [property: Id(0)] int[]? Layers = null,
    [property: Id(1)] int[]? Heads = null,
    [property: Id(2)] long? DenseBytes = null,
    [property: Id(3)] int? TopCount = null)
{
    /// <summary>Every head of every layer.</summary>
    public static PatternSelection All { get; } = new();

    /// <summary>Every head of every layer, and of each row the largest entries only.</summary>
    /// <param name="count">How many, 1 or more.</param>
    public static PatternSelection Top(int count) => new(DenseBytes: 0, TopCount: count);

    /// <summary>Whether heads of a layer are among them.</summary>
    public bool Includes(int layer) => Layers is null || Layers.Contains(layer);

    /// <summary>Whether a head is among them.</summary>
    public bool Includes(HeadId head) => Includes(head.Layer) && (Heads is null || Heads.Contains(head.KvHead));
}
