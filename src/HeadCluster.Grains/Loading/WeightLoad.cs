namespace HeadCluster.Grains;

/// <summary>Weights that are to be loaded.</summary>
/// <param name="Model">The model that they belong to.</param>
/// <param name="Owner">Whose they are, for errors, such as <c>head nano-gpt/0/2</c>; it names them on this silo.</param>
/// <param name="Bytes">Memory that they take once packed.</param>
/// <param name="Load">Reads and packs them; may wait for a disk.</param>
internal sealed record WeightLoad<TWeights>(string Model, string Owner, long Bytes, Func<TWeights> Load)
    where TWeights : class;
