using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
    internal const int BlockKeys = 128;

    /// <summary>The widest value that the kernel's accumulators take.</summary>
    public const int MaxValueDim = 4096;

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
    /// <param name="cancellationToken">Checked between rows; the rows not yet reached stay as they were.</param>
    /// <exception cref="ArgumentException">A span is too short or overlaps, or ValueDim exceeds <see cref="MaxValueDim"/>.</exception>
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
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cache.ValueDim, MaxValueDim);
        if (rows == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(outputStride, cache.ValueDim);
        Check.AtLeast(output.Length, ((long)(rows - 1) * outputStride) + cache.ValueDim, nameof(output));
        Check.Apart(queries, output, nameof(output));

        Span<float> sums = stackalloc float[cache.ValueStride];
        for (var row = 0; row < rows; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            AttendRow(queries.Slice(row * queryStride, cache.HeadDim), row, firstPosition + row, cache, options, mask, sums);
            sums[..cache.ValueDim].CopyTo(output[(row * outputStride)..]);
        }
    }

    /// <summary>Computes the attention pattern: what <see cref="Attend"/> weighs the values with, one row a query.</summary>
    /// <param name="queries">Row r is <c>queries[r·queryStride …]</c>, HeadDim long.</param>
    /// <param name="queryStride">Elements from one query to the next.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="firstPosition">Position of the first query among the keys.</param>
    /// <param name="cache">The keys.</param>
    /// <param name="options">Scale, causality and softcap.</param>
    /// <param name="mask">Further masking.</param>
    /// <param name="pattern"><c>[rows, cache.Length]</c>; each row sums to 1, or is zeros where no key is seen.</param>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void Pattern(
        ReadOnlySpan<float> queries,
        int queryStride,
        int rows,
        int firstPosition,
        KvCache cache,
        in AttentionOptions options,
        AttentionMask mask,
        Span<float> pattern)
    {
        Validate(queries, queryStride, rows, firstPosition, cache, mask);
        Check.AtLeast(pattern.Length, (long)rows * cache.Length, nameof(pattern));
        Span<float> block = stackalloc float[BlockKeys];
        for (var row = 0; row < rows; row++)
        {
            var query = queries.Slice(row * queryStride, cache.HeadDim);
            var scores = pattern.Slice(row * cache.Length, cache.Length);
            var seen = VisibleKeys(firstPosition + row, cache, options);
            for (var key = 0; key < seen; key += BlockKeys)
            {
                var count = Math.Min(BlockKeys, seen - key);
                ScoreBlock(query, row, key, count, cache, options, mask, block);
                block[..count].CopyTo(scores[key..]);
            }

            scores[seen..].Fill(float.NegativeInfinity);
            SoftmaxKernel.Apply(scores, scores);
        }
    }

    private static void Validate(ReadOnlySpan<float> queries, int queryStride, int rows, int firstPosition, KvCache cache, AttentionMask mask)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(firstPosition);
        ArgumentOutOfRangeException.ThrowIfLessThan(queryStride, cache.HeadDim);
        Check.AtLeast(queries.Length, rows == 0 ? 0 : ((long)(rows - 1) * queryStride) + cache.HeadDim, nameof(queries));
        mask.Validate(rows);
    }

    private static int VisibleKeys(int position, KvCache cache, in AttentionOptions options) =>
        options.Causal ? (int)Math.Min(cache.Length, position + 1L) : cache.Length;

    // sums[ValueStride] becomes the output row; before the last division it holds Σ_j exp(s_j − m) v_j.
    private static void AttendRow(
        ReadOnlySpan<float> query,
        int row,
        int position,
        KvCache cache,
        in AttentionOptions options,
        AttentionMask mask,
        Span<float> sums)
    {
        Span<float> scores = stackalloc float[BlockKeys];
        Span<float> weights = stackalloc float[BlockKeys];
        var maximum = float.NegativeInfinity;
        var denominator = 0f;
        sums.Clear();

        var seen = VisibleKeys(position, cache, options);
        for (var key = 0; key < seen; key += BlockKeys)
        {
            var count = Math.Min(BlockKeys, seen - key);
            ScoreBlock(query, row, key, count, cache, options, mask, scores);

            var newMaximum = MathF.Max(maximum, BlockMaximum(scores, count));
            if (newMaximum == float.NegativeInfinity)
            {
                continue; // every key so far is masked
            }

            var correction = Elementary.Exp(maximum - newMaximum);
            var blockSum = ExponentialBlock(scores, newMaximum, count, weights);
            denominator = MathF.FusedMultiplyAdd(denominator, correction, blockSum);
            maximum = newMaximum;

            Rescale(sums, correction);
            AddValues(cache.ValuesFrom(key), scores[..count], weights, sums);
        }

        if (seen > 0 && maximum != float.NegativeInfinity)
        {
            Divide(sums, denominator);
        }
    }

    // scores[0..count) of the keys firstKey…, firstKey a multiple of BlockKeys; −∞ up to the next multiple of 16.
    private static void ScoreBlock(
        ReadOnlySpan<float> query,
        int row,
        int firstKey,
        int count,
        KvCache cache,
        in AttentionOptions options,
        AttentionMask mask,
        Span<float> scores)
    {
        var firstGroup = firstKey / Lanes.Count;
        var groups = Lanes.RoundUp(count) / Lanes.Count;
        var group = 0;
        for (; group <= groups - 4; group += 4)
        {
            ScoreFourGroups(query, cache, firstGroup + group, options, scores[(group * Lanes.Count)..]);
        }

        for (; group < groups; group++)
        {
            ScoreGroup(query, cache.KeyGroup(firstGroup + group), options, scores[(group * Lanes.Count)..]);
        }

        scores[count..(groups * Lanes.Count)].Fill(float.NegativeInfinity);
        mask.Apply(row, firstKey, scores[..count]);
    }

    private static void ScoreGroup(ReadOnlySpan<float> query, ReadOnlySpan<float> keys, in AttentionOptions options, Span<float> scores)
    {
        ref var k = ref MemoryMarshal.GetReference(keys);
        var sum = Vector512<float>.Zero;
        for (var d = 0; d < query.Length; d++)
        {
            sum = Vector512.FusedMultiplyAdd(Vector512.Create(query[d]), Vector512.LoadUnsafe(ref k, (nuint)(d * Lanes.Count)), sum);
        }

        Finish(sum, options).CopyTo(scores);
    }

    // Four groups are four independent chains: enough to hide the latency of an FMA.
    private static void ScoreFourGroups(ReadOnlySpan<float> query, KvCache cache, int firstGroup, in AttentionOptions options, Span<float> scores)
    {
        ref var k0 = ref MemoryMarshal.GetReference(cache.KeyGroup(firstGroup));
        ref var k1 = ref MemoryMarshal.GetReference(cache.KeyGroup(firstGroup + 1));
        ref var k2 = ref MemoryMarshal.GetReference(cache.KeyGroup(firstGroup + 2));
        ref var k3 = ref MemoryMarshal.GetReference(cache.KeyGroup(firstGroup + 3));
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (var d = 0; d < query.Length; d++)
        {
            var q = Vector512.Create(query[d]);
            var offset = (nuint)(d * Lanes.Count);
            s0 = Vector512.FusedMultiplyAdd(q, Vector512.LoadUnsafe(ref k0, offset), s0);
            s1 = Vector512.FusedMultiplyAdd(q, Vector512.LoadUnsafe(ref k1, offset), s1);
            s2 = Vector512.FusedMultiplyAdd(q, Vector512.LoadUnsafe(ref k2, offset), s2);
            s3 = Vector512.FusedMultiplyAdd(q, Vector512.LoadUnsafe(ref k3, offset), s3);
        }

        Finish(s0, options).CopyTo(scores);
        Finish(s1, options).CopyTo(scores[Lanes.Count..]);
        Finish(s2, options).CopyTo(scores[(2 * Lanes.Count)..]);
        Finish(s3, options).CopyTo(scores[(3 * Lanes.Count)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Finish(Vector512<float> products, in AttentionOptions options)
    {
        var scores = products * options.Scale;
        return options.Softcap > 0 ? Elementary.Tanh(scores / options.Softcap) * options.Softcap : scores;
    }

    private static float BlockMaximum(ReadOnlySpan<float> scores, int count)
    {
        ref var first = ref MemoryMarshal.GetReference(scores);
        var maximum = Vector512.Create(float.NegativeInfinity);
        for (var key = 0; key < count; key += Lanes.Count)
        {
            maximum = Vector512.Max(maximum, Vector512.LoadUnsafe(ref first, (nuint)key));
        }

        return Lanes.Max(maximum);
    }

    // weights[j] = exp(scores[j] − maximum) and their sum; a masked key weighs exactly 0.
    private static float ExponentialBlock(ReadOnlySpan<float> scores, float maximum, int count, Span<float> weights)
    {
        ref var from = ref MemoryMarshal.GetReference(scores);
        ref var to = ref MemoryMarshal.GetReference(weights);
        var sum = Vector512<float>.Zero;
        for (var key = 0; key < count; key += Lanes.Count)
        {
            var weight = Elementary.Exp(Vector512.LoadUnsafe(ref from, (nuint)key) - Vector512.Create(maximum));
            weight.StoreUnsafe(ref to, (nuint)key);
            sum += weight;
        }

        return Lanes.SumTree(sum);
    }

    private static void Rescale(Span<float> sums, float correction)
    {
        for (var d = 0; d < sums.Length; d += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(sums, d, fill: 0) * correction, sums, d);
        }
    }

    private static void Divide(Span<float> sums, float denominator)
    {
        for (var d = 0; d < sums.Length; d += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(sums, d, fill: 0) / denominator, sums, d);
        }
    }

    // sums[d] += Σ_j weights[j] values[j, d], j ascending; lanes run over d, four of their vectors at a time.
    private static void AddValues(ReadOnlySpan<float> values, ReadOnlySpan<float> scores, ReadOnlySpan<float> weights, Span<float> sums)
    {
        var stride = sums.Length;
        ref var v = ref MemoryMarshal.GetReference(values);
        ref var o = ref MemoryMarshal.GetReference(sums);
        var d = 0;
        for (; d <= stride - (4 * Lanes.Count); d += 4 * Lanes.Count)
        {
            var at = (nuint)d;
            var o0 = Vector512.LoadUnsafe(ref o, at);
            var o1 = Vector512.LoadUnsafe(ref o, at + Lanes.Count);
            var o2 = Vector512.LoadUnsafe(ref o, at + (2 * Lanes.Count));
            var o3 = Vector512.LoadUnsafe(ref o, at + (3 * Lanes.Count));
            for (var key = 0; key < scores.Length; key++)
            {
                if (scores[key] == float.NegativeInfinity)
                {
                    continue;
                }

                var weight = Vector512.Create(weights[key]);
                var offset = (nuint)((key * stride) + d);
                o0 = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref v, offset), o0);
                o1 = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref v, offset + Lanes.Count), o1);
                o2 = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref v, offset + (2 * Lanes.Count)), o2);
                o3 = Vector512.FusedMultiplyAdd(weight, Vector512.LoadUnsafe(ref v, offset + (3 * Lanes.Count)), o3);
            }

            o0.StoreUnsafe(ref o, at);
            o1.StoreUnsafe(ref o, at + Lanes.Count);
            o2.StoreUnsafe(ref o, at + (2 * Lanes.Count));
            o3.StoreUnsafe(ref o, at + (3 * Lanes.Count));
        }

        for (; d < stride; d += Lanes.Count)
        {
            var sum = Vector512.LoadUnsafe(ref o, (nuint)d);
            for (var key = 0; key < scores.Length; key++)
            {
                if (scores[key] != float.NegativeInfinity)
                {
                    sum = Vector512.FusedMultiplyAdd(Vector512.Create(weights[key]), Vector512.LoadUnsafe(ref v, (nuint)((key * stride) + d)), sum);
                }
            }

            sum.StoreUnsafe(ref o, (nuint)d);
        }
    }
}
