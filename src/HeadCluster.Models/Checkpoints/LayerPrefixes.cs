namespace HeadCluster.Models;

/// <summary>Finds the attention layers of a model that is nothing else, whatever they are called.</summary>
/// <remarks>
/// A layer is known by one tensor, such as <c>layers.3.self_attn.in_proj_weight</c>; what stands before that tensor's own name is
/// the layer's prefix. One segment of a prefix is the layer's number; all prefixes are alike but for it, and the numbers count
/// from 0. The prefix of a single layer may have no number.
/// </remarks>
internal static class LayerPrefixes
{
    /// <summary>The prefixes, layer by layer, of the tensors that end in <paramref name="ending"/>.</summary>
    public static IReadOnlyList<string> Find(string directory, TensorCatalog tensors, string ending)
    {
        var prefixes = tensors.Names
            .Where(name => name == ending || name.EndsWith($".{ending}", StringComparison.Ordinal))
            .Select(name => name[..^ending.Length])
            .ToList();
        if (prefixes.Count <= 1 && !prefixes.Any(prefix => Number(prefix) >= 0))
        {
            return prefixes;
        }

        var first = prefixes[0];
        var known = prefixes.ToHashSet(StringComparer.Ordinal);
        var ordered = new List<string>(prefixes.Count);
        for (var layer = 0; layer < prefixes.Count; layer++)
        {
            var expected = WithNumber(first, layer);
            ordered.Add(known.Contains(expected)
                ? expected
                : throw new ModelException(
                    $"{directory}: tensor {Quote.Text(expected + ending)} is missing; expected {prefixes.Count} layers numbered from 0, named alike"));
        }

        return ordered;
    }

    private static int Number(string prefix) =>
        Array.FindIndex(prefix.Split('.'), segment => segment.Length > 0 && segment.All(char.IsAsciiDigit));

    private static string WithNumber(string prefix, int number)
    {
        var segments = prefix.Split('.');
        if (Number(prefix) is >= 0 and var index)
        {
            segments[index] = $"{number}";
        }

        return string.Join('.', segments);
    }
}
