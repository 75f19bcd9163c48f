namespace HeadCluster.Kernels;

/// <summary>Argument checks at the kernels' door; inside, lengths are trusted.</summary>
internal static class Check
{
    public static void AtLeast(int length, long needed, string name)
    {
        if (length < needed)
        {
            throw new ArgumentException($"{length} elements; at least {needed} are needed", name);
        }
    }

    public static void SameOrApart(ReadOnlySpan<float> source, ReadOnlySpan<float> destination, string name)
    {
        if (source.Overlaps(destination, out var offset) && offset != 0)
        {
            throw new ArgumentException("overlaps the source in part; pass the same span or another one", name);
        }
    }

    public static void Apart(ReadOnlySpan<float> source, ReadOnlySpan<float> destination, string name)
    {
        if (source.Overlaps(destination))
        {
            throw new ArgumentException("overlaps the source; pass another span", name);
        }
    }
}
