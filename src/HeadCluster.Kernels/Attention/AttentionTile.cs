using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// A few queries that go through the keys together, block by block: scores, online softmax, weighted sum of the values. Each
/// row's bits are those that it would have alone.
/// </summary>
internal ref struct AttentionTile
{
    /// <summary>
    /// Rows of the largest tile: two of the panel kernel's, of which the second finds the keys in the first-level cache, and enough
    /// for what is done once a block to be little beside the products. A lane each.
    /// </summary>
    public const int MaxRows = 2 * PanelKernel.MaxRows;

    private readonly KvCache _cache;
    private readonly AttentionOptions _options;
    private readonly AttentionMask _mask;

    // Of each row: the scores of the block [BlockKeys], what they make the values weigh [BlockKeys], Σ weight · value [ValueStride].
    // A row alone has the scores of several blocks instead of those of several rows.
    private readonly Span<float> _scores;
    private readonly Span<float> _weights;
    private readonly Span<float> _sums;

    // Lanes of a block, to be read one by one: the largest scores so far [16], the corrections [16].
    private readonly Span<float> _lanes;

    // Lane r is the state of row r: the largest score so far, and Σ exp(score − largest).
    private Vector512<float> _maximum;
    private Vector512<float> _denominator;
    private int _rows;

    // Where among scores and weights those of the block that is being added begin.
    private int _block;

    public AttentionTile(KvCache cache, in AttentionOptions options, AttentionMask mask, Span<float> scratch)
    {
        _cache = cache;
        _options = options;
        _mask = mask;
        var block = MaxRows * AttentionKernel.BlockKeys;
        _scores = scratch[..block];
        _weights = scratch.Slice(block, block);
        _lanes = scratch.Slice(2 * block, 2 * Lanes.Count);
        _sums = scratch.Slice((2 * block) + _lanes.Length, MaxRows * cache.ValueStride);
    }

    /// <summary>Elements of the scratch memory that a tile needs; their content does not matter.</summary>
    public static int ScratchLength(KvCache cache) => (MaxRows * ((2 * AttentionKernel.BlockKeys) + cache.ValueStride)) + (2 * Lanes.Count);

    /// <summary>Computes the output rows of some queries.</summary>
    /// <param name="queries">The first query and, every <paramref name="queryStride"/> elements, the next.</param>
    /// <param name="queryStride">Elements from one query to the next.</param>
    /// <param name="rows">1 to <see cref="MaxRows"/>.</param>
    /// <param name="row">Row of the first query in the mask.</param>
    /// <param name="position">Position of the first query.</param>
    /// <param name="output">The first output row and, every <paramref name="outputStride"/> elements, the next.</param>
    /// <param name="outputStride">Elements from one output row to the next.</param>
    [MethodImpl(Compile.Alone)]
    public void Attend(ReadOnlySpan<float> queries, int queryStride, int rows, int row, int position, Span<float> output, int outputStride)
    {
        _rows = rows;
        _sums[..(rows * _cache.ValueStride)].Clear();
        (_maximum, _denominator) = (Vector512.Create(float.NegativeInfinity), Vector512<float>.Zero);

        // The last row sees the most keys. A row alone is done at the pace of memory, which is read fastest in long runs: first the keys
        // of many blocks, then their values.
        var seen = AttentionKernel.VisibleKeys(position + rows - 1, _cache, _options);
        var scored = (rows == 1 ? MaxRows : 1) * AttentionKernel.BlockKeys;
        for (var first = 0; first < seen; first += scored)
        {
            var count = Math.Min(scored, seen - first);
            Score(queries, queryStride, rows, first, count);
            for (_block = 0; _block < count; _block += AttentionKernel.BlockKeys)
            {
                AddBlock(row, position, first + _block, isLast: first + _block + AttentionKernel.BlockKeys >= seen, output, outputStride);
            }
        }

        if (seen == 0)
        {
            Divide(0, rows, output, outputStride);
        }
    }

    /// <summary>Computes the pattern of some queries: softmax of their scores, 0 for keys that they do not see.</summary>
    /// <param name="queries">The first query and, every <paramref name="queryStride"/> elements, the next.</param>
    /// <param name="queryStride">Elements from one query to the next.</param>
    /// <param name="rows">1 to <see cref="MaxRows"/>.</param>
    /// <param name="row">Row of the first query in the mask.</param>
    /// <param name="position">Position of the first query.</param>
    /// <param name="pattern"><c>[rows, keys of the cache]</c>.</param>
    public readonly void Pattern(ReadOnlySpan<float> queries, int queryStride, int rows, int row, int position, Span<float> pattern)
    {
        // The last row sees the most keys.
        var seen = AttentionKernel.VisibleKeys(position + rows - 1, _cache, _options);
        for (var key = 0; key < seen; key += AttentionKernel.BlockKeys)
        {
            var block = Math.Min(AttentionKernel.BlockKeys, seen - key);
            Score(queries, queryStride, rows, key, block);
            for (var r = 0; r < rows; r++)
            {
                var count = Math.Min(block, AttentionKernel.VisibleKeys(position + r, _cache, _options) - key);
                if (count > 0)
                {
                    Finish(r * AttentionKernel.BlockKeys, row + r, key, count).CopyTo(pattern[((r * _cache.Length) + key)..]);
                }
            }
        }

        for (var r = 0; r < rows; r++)
        {
            var scores = pattern.Slice(r * _cache.Length, _cache.Length);
            scores[AttentionKernel.VisibleKeys(position + r, _cache, _options)..].Fill(float.NegativeInfinity);
            SoftmaxKernel.Apply(scores, scores);
        }
    }

    /// <summary>
    /// The products query · key of a block, or of several for a row alone, rounded up to whole groups of 16 keys; what stands beyond the
    /// last key is undefined.
    /// </summary>
    [MethodImpl(Compile.Alone)]
    public readonly void Score(ReadOnlySpan<float> queries, int queryStride, int rows, int firstKey, int count)
    {
        var tile = new PanelTile<float>
        {
            X = ref MemoryMarshal.GetReference(queries),
            XStride = (nuint)queryStride,
            Inputs = (nuint)_cache.HeadDim,
            InputStride = PanelKernel.PanelColumns,
            YStride = AttentionKernel.BlockKeys,
        };

        var group = firstKey / PanelKernel.PanelColumns;
        for (var key = 0; key < count;)
        {
            var lane = key % PanelKernel.PanelColumns;
            tile.Weights = ref Unsafe.Add(ref Unsafe.AsRef(in _cache.KeyGroup(group + (key / PanelKernel.PanelColumns))), lane);
            if (rows == 1 && count - key >= PanelKernel.PanelColumns)
            {
                key += ScoreRuns(tile, key, group + (key / PanelKernel.PanelColumns), (count - key) / PanelKernel.PanelColumns);
                continue;
            }

            var left = Lanes.RoundUp(Math.Min(count - key, PanelKernel.PanelColumns - lane)) / Lanes.Count;
            var vectors = PanelKernel.NextVectors(rows, left);
            tile.Y = ref _scores[key];
            PanelKernel.Run<Float32Weights, float>(rows, vectors, tile);
            key += vectors * Lanes.Count;
        }
    }

    // Several runs of whole groups of keys side by side, each as long as there are groups for. Returns how many keys that was.
    [MethodImpl(Compile.Alone)]
    private readonly int ScoreRuns(PanelTile<float> tile, int key, int group, int groups)
    {
        var runs = Math.Min(PanelKernel.MaxPanelsOfRow, groups);
        var run = groups / runs;
        for (var i = 0; i < run; i++)
        {
            tile.Weights = ref _cache.KeyGroup(group + i);
            tile.Y = ref _scores[key + (i * PanelKernel.PanelColumns)];
            PanelKernel.RunRow<Float32Weights, float>(
                runs, tile, (nuint)(run * _cache.HeadDim * PanelKernel.PanelColumns), (nuint)(run * PanelKernel.PanelColumns));
        }

        return runs * run * PanelKernel.PanelColumns;
    }

    /// <summary>From one row's products to its scores, in place: scale, softcap, mask.</summary>
    /// <param name="at">Where among the scores its products begin.</param>
    /// <param name="maskRow">Its row in the mask.</param>
    /// <param name="firstKey">First key of the block.</param>
    /// <param name="count">Keys of the block that the row sees, but for the mask.</param>
    [MethodImpl(Compile.Alone)]
    public readonly ReadOnlySpan<float> Finish(int at, int maskRow, int firstKey, int count)
    {
        ref var first = ref _scores[at];
        for (var key = 0; key < count; key += Lanes.Count)
        {
            var score = Vector512.LoadUnsafe(ref first, (nuint)key) * _options.Scale;
            if (_options.Softcap > 0)
            {
                score = Elementary.Tanh(score / _options.Softcap) * _options.Softcap;
            }

            score.StoreUnsafe(ref first, (nuint)key);
        }

        var scores = _scores.Slice(at, count);
        _mask.Apply(maskRow, firstKey, scores);
        return scores;
    }

    // Whether scores are products times the scale, and nothing else.
    private readonly bool ArePlain => _mask.IsNone && !(_options.Softcap > 0);

    // Where row r has its scores of the block, and its weights.
    private readonly int ScoresAt(int r) => _block + (r * AttentionKernel.BlockKeys);

    private readonly Span<float> Sums(int r) => _sums.Slice(r * _cache.ValueStride, _cache.ValueStride);

    // What a block makes the values weigh, and what becomes of the maxima and denominators, and of the sums so far. Returns which rows do not
    // see all keys of their count: bit r is row r.
    [MethodImpl(Compile.Alone)]
    private int Weigh(int row, int position, int firstKey)
    {
        // Lane r is row r. Lanes are set in registers: a vector that is read from memory just written lane by lane waits for all before it.
        var largest = Vector512.Create(float.NegativeInfinity);
        var smallest = largest;

        // Products: bit r says that row r still has those where others have scores.
        var (masked, products) = (0, 0);
        for (var r = 0; r < _rows; r++)
        {
            var count = Count(position + r, firstKey);
            if (ArePlain && TryFindRange(ScoresAt(r), count, _options.Scale, out var smallestOfRow, out var largestOfRow))
            {
                products |= 1 << r;
            }
            else
            {
                var scores = Finish(ScoresAt(r), row + r, firstKey, count);
                if (!TryFindRange(ScoresAt(r), count, scale: 1, out smallestOfRow, out largestOfRow))
                {
                    (smallestOfRow, largestOfRow) = (float.NegativeInfinity, Maximum(scores));
                    masked |= scores.Contains(float.NegativeInfinity) ? 1 << r : 0;
                }
            }

            smallest = Lanes.With(smallest, r, smallestOfRow);
            largest = Lanes.With(largest, r, largestOfRow);
        }

        // A row that has seen no key yet has no maximum, and nothing to correct.
        var maximum = Vector512.Max(_maximum, largest);
        var none = Vector512.Equals(maximum, Vector512.Create(float.NegativeInfinity));
        var correction = Vector512.ConditionalSelect(none, Vector512<float>.One, Elementary.ExpOfNegative(_maximum - maximum));
        maximum.StoreUnsafe(ref _lanes[0]);
        correction.StoreUnsafe(ref _lanes[Lanes.Count]);
        _maximum = maximum;

        // A block that is masked as a whole adds nothing, as if it were not there.
        var empty = Vector512.Equals(largest, Vector512.Create(float.NegativeInfinity)).ExtractMostSignificantBits();
        var near = Vector512.GreaterThanOrEqual(smallest - maximum, Vector512.Create(Elementary.LeastOfNegative)).ExtractMostSignificantBits();
        var sums = Vector512<float>.Zero;
        for (var r = 0; r < _rows; r++)
        {
            if ((empty >> r & 1) == 0)
            {
                var scale = (products >> r & 1) == 0 ? 1 : _options.Scale;
                sums = Lanes.With(sums, r, Exponentials(ScoresAt(r), scale, _lanes[r], Count(position + r, firstKey), (near >> r & 1) != 0));
            }
        }

        _denominator = Vector512.FusedMultiplyAdd(_denominator, correction, sums);

        // Before the first block there is nothing to rescale.
        for (var r = 0; firstKey > 0 && r < _rows; r++)
        {
            if (_lanes[Lanes.Count + r] is not 1 and var factor)
            {
                Rescale(Sums(r), factor);
            }
        }

        return masked;
    }

    private void AddBlock(int row, int position, int firstKey, bool isLast, Span<float> output, int outputStride)
    {
        var masked = Weigh(row, position, firstKey);
        for (var r = 0; r < _rows; r += PanelKernel.MaxRows)
        {
            var rows = Math.Min(PanelKernel.MaxRows, _rows - r);
            if (isLast)
            {
                Prefetch.Rows(in output[r * outputStride], outputStride, rows, _cache.ValueDim);
            }

            AddValues(r, rows, position, firstKey, masked >> r);
            if (isLast)
            {
                // At once, so that the outputs, which no cache has, are written while the other rows' products go on.
                Divide(r, rows, output, outputStride);
            }
        }
    }

    // Keys of the block from its first on that the query at a position sees, but for the mask.
    private readonly int Count(int position, int firstKey) =>
        Math.Clamp(AttentionKernel.VisibleKeys(position, _cache, _options) - firstKey, 0, AttentionKernel.BlockKeys);

    // Keys that every row sees are added to all at once; of rows, the first sees the fewest and the last the most.
    private void AddValues(int firstRow, int rows, int position, int firstKey, int masked)
    {
        var common = (masked & ((1 << rows) - 1)) == 0 ? Count(position + firstRow, firstKey) : 0;
        AddRun(firstRow, rows, firstKey, 0, common);
        var most = Count(position + firstRow + rows - 1, firstKey);
        for (var r = firstRow; common < most && r < firstRow + rows; r++)
        {
            var count = Count(position + r, firstKey);
            if ((masked >> (r - firstRow) & 1) != 0)
            {
                AddVisibleValues(r, firstKey, common, count);
            }
            else if (count - common >= PanelKernel.MaxRows)
            {
                AddRun(r, 1, firstKey, common, count - common);
            }
            else
            {
                AddFew(r, firstKey, common, count - common);
            }
        }
    }

    // The keys of one row from `from` on that are not masked, run by run.
    private void AddVisibleValues(int r, int firstKey, int from, int count)
    {
        var scores = _scores.Slice(ScoresAt(r), count);
        while (from < count)
        {
            var run = scores[from..].IndexOf(float.NegativeInfinity);
            run = run < 0 ? count - from : run;
            AddRun(r, 1, firstKey, from, run);
            from += run + 1;
        }
    }

    // sums[row, d] += Σ_j weights[row, j] values[j, d], j ascending, for some rows and keys.
    [MethodImpl(Compile.Alone)]
    private void AddRun(int firstRow, int rows, int firstKey, int from, int count)
    {
        if (count == 0)
        {
            return;
        }

        var stride = _cache.ValueStride;
        var tile = new PanelTile<float>
        {
            X = ref _weights[ScoresAt(firstRow) + from],
            XStride = AttentionKernel.BlockKeys,
            Inputs = (nuint)count,
            InputStride = (nuint)stride,
            StartStride = (nuint)stride,
            YStride = (nuint)stride,
        };

        ref readonly var values = ref _cache.Value(firstKey + from);
        for (var column = 0; column < stride;)
        {
            var vectors = PanelKernel.NextVectors(rows, Math.Min(PanelKernel.PanelColumns, stride - column) / Lanes.Count);
            tile.Weights = ref Unsafe.Add(ref Unsafe.AsRef(in values), column);
            tile.Y = ref _sums[(firstRow * stride) + column];
            tile.Start = ref tile.Y;
            PanelKernel.Run<Float32Weights, float>(rows, vectors, tile);
            column += vectors * Lanes.Count;
        }
    }

    // The same for one row and so few keys that beginning with the panel kernel would take longer.
    [MethodImpl(Compile.Alone)]
    private void AddFew(int r, int firstKey, int from, int count)
    {
        var stride = (nuint)_cache.ValueStride;
        ref var sums = ref MemoryMarshal.GetReference(Sums(r));
        ref readonly var values = ref _cache.Value(firstKey + from);
        ref var weights = ref _weights[ScoresAt(r) + from];
        for (nuint column = 0; column < stride; column += Lanes.Count)
        {
            var sum = Vector512.LoadUnsafe(ref sums, column);
            for (nuint key = 0; key < (nuint)count; key++)
            {
                var value = Vector512.LoadUnsafe(in values, (key * stride) + column);
                sum = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref weights, key)), value, sum);
            }

            sum.StoreUnsafe(ref sums, column);
        }
    }

    /// <summary>
    /// The smallest and the largest of a row's scores, which are scale · what stands there. Rounding keeps their order, so that two
    /// products tell of all.
    /// </summary>
    /// <returns>Whether there are any, all of them finite.</returns>
    [MethodImpl(Compile.Alone)]
    public readonly bool TryFindRange(int at, int count, float scale, out float smallest, out float largest)
    {
        ref var first = ref _scores[at];
        var (low, high) = (Vector512.Create(float.PositiveInfinity), Vector512.Create(float.NegativeInfinity));

        // What an infinity or NaN leaves behind: a number minus itself is +0, whose bits are all zero, and theirs is NaN.
        var traces = Vector512<float>.Zero;
        var key = 0;
        for (; key <= count - Lanes.Count; key += Lanes.Count)
        {
            var score = Vector512.LoadUnsafe(ref first, (nuint)key);
            low = Vector512.MinNative(low, score);
            high = Vector512.MaxNative(high, score);
            traces |= score - score;
        }

        if (key < count)
        {
            // Lanes beyond the last key repeat one that is seen.
            var score = Vector512.ConditionalSelect(LanesBelow(count - key), Vector512.LoadUnsafe(ref first, (nuint)key), Vector512.Create(first));
            low = Vector512.MinNative(low, score);
            high = Vector512.MaxNative(high, score);
            traces |= score - score;
        }

        var (a, b) = (Lanes.MinOfNumbers(low) * scale, Lanes.MaxOfNumbers(high) * scale);
        (smallest, largest) = scale < 0 ? (b, a) : (a, b);
        return Vector512.EqualsAll(traces, Vector512<float>.Zero) && float.IsFinite(smallest) && float.IsFinite(largest);
    }

    // With NaN among the scores the largest is NaN; −∞ is no number either, but a key that is masked.
    [MethodImpl(Compile.Alone)]
    private static float Maximum(ReadOnlySpan<float> scores)
    {
        var largest = Vector512.Create(float.NegativeInfinity);
        for (var key = 0; key < scores.Length; key += Lanes.Count)
        {
            largest = Vector512.Max(largest, Lanes.Load(scores, key, float.NegativeInfinity));
        }

        return Lanes.Max(largest);
    }

    // weights[at + j] = exp(scale · scores[at + j] − maximum) and their sum; a masked key weighs exactly 0. Near: no exponent is below what
    // the faster exponential takes.
    [MethodImpl(Compile.Alone)]
    private readonly float Exponentials(int at, float scale, float maximum, int count, bool near)
    {
        ref var scores = ref _scores[at];
        ref var weights = ref _weights[at];
        var sum = Vector512<float>.Zero;
        var key = 0;
        if (near && !Vector512.IsHardwareAccelerated)
        {
            key = count & ~(Lanes.Count - 1);
            sum = ExponentialsOfHalves(at, scale, maximum, key);
        }

        for (; near && key <= count - Quad.Count; key += Quad.Count)
        {
            var weight = Elementary.ExpOfNegative((Quad.Load(ref scores, (nuint)key) * scale) - maximum);
            weight.Store(ref weights, (nuint)key);
            sum = sum + weight.V0 + weight.V1 + weight.V2 + weight.V3;
        }

        for (; key < count; key += Lanes.Count)
        {
            var weight = Elementary.ExpOfNegative((Vector512.LoadUnsafe(ref scores, (nuint)key) * scale) - Vector512.Create(maximum));
            if (count - key < Lanes.Count)
            {
                weight &= LanesBelow(count - key);
            }

            weight.StoreUnsafe(ref weights, (nuint)key);
            sum += weight;
        }

        return Lanes.SumTree(sum);
    }

    // The same of whole vectors, half by half: where no register holds a vector, a function of one takes more registers than there are, and more
    // calls within calls than the compiler puts into a loop.
    [MethodImpl(Compile.Alone)]
    private readonly Vector512<float> ExponentialsOfHalves(int at, float scale, float maximum, int count)
    {
        ref var scores = ref _scores[at];
        ref var weights = ref _weights[at];
        var (lower, upper) = (Vector256<float>.Zero, Vector256<float>.Zero);
        for (nuint key = 0; key < (nuint)count; key += Lanes.Count)
        {
            var first = Elementary.ExpOfNegative((Vector256.LoadUnsafe(ref scores, key) * scale) - Vector256.Create(maximum));
            var second = Elementary.ExpOfNegative((Vector256.LoadUnsafe(ref scores, key + (Lanes.Count / 2)) * scale) - Vector256.Create(maximum));
            first.StoreUnsafe(ref weights, key);
            second.StoreUnsafe(ref weights, key + (Lanes.Count / 2));
            lower += first;
            upper += second;
        }

        return Vector512.Create(lower, upper);
    }

    private static Vector512<float> LanesBelow(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(Compile.Alone)]
    private static void Rescale(Span<float> sums, float correction)
    {
        ref var first = ref MemoryMarshal.GetReference(sums);
        for (var d = 0; d < sums.Length; d += Lanes.Count)
        {
            (Vector512.LoadUnsafe(ref first, (nuint)d) * correction).StoreUnsafe(ref first, (nuint)d);
        }
    }

    // A row that saw no key has no denominator, and is zeros.
    [MethodImpl(Compile.Alone)]
    private readonly void Divide(int firstRow, int rows, Span<float> output, int outputStride)
    {
        for (var r = firstRow; r < firstRow + rows; r++)
        {
            var result = output.Slice(r * outputStride, _cache.ValueDim);
            var denominator = _denominator[r];
            if (denominator == 0)
            {
                result.Clear();
                continue;
            }

            ref var sums = ref MemoryMarshal.GetReference(Sums(r));
            for (var d = 0; d < result.Length; d += Lanes.Count)
            {
                Lanes.Store(Vector512.LoadUnsafe(ref sums, (nuint)d) / denominator, result, d);
            }
        }
    }
}
