using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>Captures one head's patterns from what it has projected, where the head is.</summary>
internal static class PatternCapture
{
    /// <summary>The pattern of each sequence.</summary>
    /// <param name="head">The head.</param>
    /// <param name="projected">Its queries and keys.</param>
    /// <param name="sequenceLengths">Rows of each sequence.</param>
    /// <param name="selection">How much to keep; within limits.</param>
    /// <param name="cancellationToken">Checked between tiles of rows.</param>
    public static HeadPattern[] Of(
        AttentionHead head, in ProjectedHead projected, int[] sequenceLengths, PatternSelection selection, CancellationToken cancellationToken)
    {
        var patterns = new HeadPattern[sequenceLengths.Length];
        var first = 0;
        for (var i = 0; i < patterns.Length; i++)
        {
            var length = sequenceLengths[i];
            patterns[i] = PatternLimits.Kept(selection, head.Shape.QueryHeads, length) is { } kept
                ? Largest(head, projected, first, length, kept, cancellationToken)
                : Whole(head, projected, first, length, cancellationToken);
            first += length;
        }

        return patterns;
    }

    private static HeadPattern Whole(AttentionHead head, in ProjectedHead projected, int first, int length, CancellationToken cancellationToken)
    {
        var pattern = GC.AllocateUninitializedArray<float>(checked(head.Shape.QueryHeads * length * length));
        head.Pattern(projected, first, length, pattern, cancellationToken);
        return new HeadPattern(new FloatTensor(pattern, head.Shape.QueryHeads, length, length));
    }

    private static HeadPattern Largest(AttentionHead head, in ProjectedHead projected, int first, int length, int kept, CancellationToken cancellationToken)
    {
        var shares = GC.AllocateUninitializedArray<float>(checked(head.Shape.QueryHeads * length * kept));
        var keys = GC.AllocateUninitializedArray<int>(shares.Length);
        head.LargestOfPattern(projected, first, length, kept, shares, keys, cancellationToken);
        return new HeadPattern(new FloatTensor(shares, head.Shape.QueryHeads, length, kept), keys);
    }
}
