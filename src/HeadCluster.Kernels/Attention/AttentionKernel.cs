using System.Buffers;

namespace HeadCluster.Kernels;

/// <summary>
/// softmax(q Kᵀ · scale) V for the queries of one head, over blocks of keys with the online softmax of Milakov and Gimelshein
/// 2018 (arXiv:1805.02867).
/// </summary>
/// <remarks>
/// The bits of a row depend on its query and the keys it sees, and on nothing else: blocks start at fixed positions, a score
/// is one chain over HeadDim ascending, an output element one chain over the keys ascending, and the softmax denominator sums
/// key j in lane j mod 16. A row that sees no key is zeros. A key whose score is −∞ is masked: its value is not read.
/// </remarks>
public static class AttentionKernel
{
    /// <summary>Keys between two rescalings. Blocks start at its multiples; changing it changes the bits of long sequences.</summary>
    internal const int BlockKeys = 512;

    /// <summary>Computes the output of each query.</summary>
    /// <param name="queries">Row r is <c>queries[r·queryStride …]</c>, HeadDim long.</param>
    /// <param name="queryStride">Elements from one query to the next.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="firstPosition">Position of the first query among the keys; causality is counted from it.</param>
    /// <param name="cache">Keys and values; all of its positions are seen unless causality or the mask hides them.</param>
    /// <param name="options">Scale, causality and softcap.</param>
    /// <param name="mask">Further masking; row r of the mask belongs to query r.</param>
    /// <param name="output">Row r is written to <c>output[r·outputStride …]</c>, ValueDim long; must not overlap the queries.</param>
    /// <param name="outputStride">Elements from one output row to the next.</param>
    /// <param name="cancellationToken">Checked between tiles of rows; the rows not yet reached stay as they were.</param>
    /// <exception cref="ArgumentException">A span is too short or overlaps.</exception>
    public static void Attend(
        ReadOnlySpan<float> queries,
        int queryStride,
        int rows,
        int firstPosition,
        KvCache cache,
        in AttentionOptions options,
        AttentionMask mask,
        Span<float> output,
        int outputStride,
        CancellationToken cancellationToken = default)
    {
        Validate(queries, queryStride, rows, firstPosition, cache, mask);
        if (rows == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(outputStride, cache.ValueDim);
        Check.AtLeast(output.Length, ((long)(rows - 1) * outputStride) + cache.ValueDim, nameof(output));
        Check.Apart(queries, output, nameof(output));

        var scratch = ArrayPool<float>.Shared.Rent(AttentionTile.ScratchLength(cache));
        try
        {
            var tile = new AttentionTile(cache, options, mask, scratch);
            for (var row = 0; row < rows; row += AttentionTile.MaxRows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = Math.Min(AttentionTile.MaxRows, rows - row);
                tile.Attend(
                    queries[(row * queryStride)..], queryStride, count, row, firstPosition + row, output[(row * outputStride)..], outputStride);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    /// <summary>Computes the attention pattern: what <see cref="Attend"/> weighs the values with but for rounding, one row a query.</summary>
    /// <param name="queries">Row r is <c>queries[r·queryStride …]</c>, HeadDim long.</param>
    /// <param name="queryStride">Elements from one query to the next.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="firstPosition">Position of the first query among the keys.</param>
    /// <param name="cache">The keys.</param>
    /// <param name="options">Scale, causality and softcap.</param>
    /// <param name="mask">Further masking.</param>
    /// <param name="pattern"><c>[rows, cache.Length]</c>; each row sums to 1, or is zeros where no key is seen.</param>
    /// <param name="cancellationToken">Checked between tiles of rows; the rows not yet reached stay as they were.</param>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void Pattern(
        ReadOnlySpan<float> queries,
        int queryStride,
        int rows,
        int firstPosition,
        KvCache cache,
        in AttentionOptions options,
        AttentionMask mask,
        Span<float> pattern,
        CancellationToken cancellationToken = default)
    {
        Validate(queries, queryStride, rows, firstPosition, cache, mask);
        Check.AtLeast(pattern.Length, (long)rows * cache.Length, nameof(pattern));
        var scratch = ArrayPool<float>.Shared.Rent(AttentionTile.ScratchLength(cache));
        try
        {
            var tile = new AttentionTile(cache, options, mask, scratch);
            for (var row = 0; row < rows; row += AttentionTile.MaxRows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = Math.Min(AttentionTile.MaxRows, rows - row);
                tile.Pattern(
                    queries[(row * queryStride)..], queryStride, count, row, firstPosition + row, pattern.Slice(row * cache.Length, count * cache.Length));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scratch);
        }
    }

    private static void Validate(ReadOnlySpan<float> queries, int queryStride, int rows, int firstPosition, KvCache cache, AttentionMask mask)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(firstPosition);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstPosition, int.MaxValue - rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(queryStride, cache.HeadDim);
        Check.AtLeast(queries.Length, rows == 0 ? 0 : ((long)(rows - 1) * queryStride) + cache.HeadDim, nameof(queries));
        mask.Validate(rows);
    }

    /// <summary>Keys from the first on that a query at <paramref name="position"/> sees, but for the mask.</summary>
    internal static int VisibleKeys(int position, KvCache cache, in AttentionOptions options) =>
        options.Causal ? (int)Math.Min(cache.Length, position + 1L) : cache.Length;
}
