namespace HeadCluster.Kernels.Tests.Attention;

/// <summary>The scores that the attention kernel computes, before its softmax turns them into weights.</summary>
internal static class KernelScores
{
    /// <summary>The scores of some queries against some keys, <c>[rows, rows]</c>; −∞ where a causal query does not see a key.</summary>
    /// <param name="queries"><c>[rows, headDim]</c>.</param>
    /// <param name="keys"><c>[rows, headDim]</c>.</param>
    /// <param name="headDim">Elements of a query or key.</param>
    /// <param name="options">Scale, causality and softcap.</param>
    public static float[] Compute(ReadOnlySpan<float> queries, ReadOnlySpan<float> keys, int headDim, AttentionOptions options)
    {
        var rows = keys.Length / headDim;
        using var cache = new KvCache(headDim, headDim, rows);
        cache.Append(keys, headDim, keys, headDim, rows);
        var all = Enumerable.Repeat(float.NegativeInfinity, rows * rows).ToArray();
        var tile = new AttentionTile(cache, options, AttentionMask.None, new float[AttentionTile.ScratchLength(cache)]);

        // Tile by tile and block by block, as the kernel goes.
        for (var row = 0; row < rows; row += AttentionTile.MaxRows)
        {
            var count = Math.Min(AttentionTile.MaxRows, rows - row);
            for (var key = 0; key < rows; key += AttentionKernel.BlockKeys)
            {
                var block = Math.Min(AttentionKernel.BlockKeys, rows - key);
                tile.Score(queries[(row * headDim)..], headDim, count, key, block);
                for (var r = 0; r < count; r++)
                {
                    var seen = Math.Clamp(AttentionKernel.VisibleKeys(row + r, cache, options) - key, 0, block);
                    var at = r * AttentionKernel.BlockKeys;

                    // As the kernel finds it in the products, where nothing but their scale makes scores of them.
                    var found = tile.TryFindRange(at, seen, options.Scale, out var smallest, out var largest);
                    var scores = tile.Finish(at, row + r, key, seen);
                    scores.CopyTo(all.AsSpan(((row + r) * rows) + key));
                    if (options.Softcap > 0)
                    {
                        found = tile.TryFindRange(at, seen, scale: 1, out smallest, out largest);
                    }

                    Assert.Equal(seen > 0, found);
                    if (found)
                    {
                        Assert.Equal((scores.ToArray().Min(), scores.ToArray().Max()), (smallest, largest));
                    }
                }
            }
        }

        return all;
    }
}
