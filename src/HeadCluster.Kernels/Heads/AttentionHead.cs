using System.Buffers;

namespace HeadCluster.Kernels;

/// <summary>
/// One head with its weights: project x to queries, keys and values, then attend. Immutable and thread-safe; what a request
/// needs is in the <see cref="ProjectedHead"/> that <see cref="Project"/> returns.
/// </summary>
public sealed class AttentionHead
{
    private readonly PackedMatrix _projection;
    private readonly AttentionOptions _options;

    /// <summary>Packs the head's weights.</summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Scale, causality and softcap.</param>
    /// <param name="query">W_Q, <c>[ModelDim, QueryHeads·HeadDim]</c>, and its bias.</param>
    /// <param name="key">W_K, <c>[ModelDim, HeadDim]</c>, and its bias.</param>
    /// <param name="value">W_V, <c>[ModelDim, ValueDim]</c>, and its bias.</param>
    /// <exception cref="ArgumentException">The matrices do not have these shapes.</exception>
    public AttentionHead(HeadShape shape, AttentionOptions options, LinearPart query, LinearPart key, LinearPart value)
        : this(shape, options, Pack(shape, query, key, value))
    {
    }

    /// <summary>A head of weights that are packed.</summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="options">Scale, causality and softcap.</param>
    /// <param name="projection">W_Q, W_K and W_V side by side, <c>[ModelDim, queries | key | value]</c>, and their biases.</param>
    /// <exception cref="ArgumentException">The matrix does not have this shape.</exception>
    public AttentionHead(HeadShape shape, AttentionOptions options, PackedMatrix projection)
    {
        ArgumentNullException.ThrowIfNull(projection);
        if (projection.Inputs != shape.ModelDim || projection.Outputs != shape.ProjectionDim)
        {
            throw new ArgumentException($"a projection [{projection.Inputs}, {projection.Outputs}] does not fit {shape}", nameof(projection));
        }

        Shape = shape;
        _options = options;
        _projection = projection;
    }

    /// <summary>The sizes.</summary>
    public HeadShape Shape { get; }

    /// <summary>Memory that the packed weights take, in bytes.</summary>
    public long WeightBytes => _projection.Bytes;

    /// <summary>Projects x to this head's queries, keys and values.</summary>
    /// <param name="x"><c>[rows, ModelDim]</c>, row-major.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="cancellationToken">Checked between panels of columns, each of which all rows go through.</param>
    /// <exception cref="ArgumentException">x is too short.</exception>
    public ProjectedHead Project(ReadOnlySpan<float> x, int rows, CancellationToken cancellationToken = default)
    {
        var projected = Prepare(rows);
        try
        {
            ProjectRows(x, 0, rows, projected, cancellationToken);
            return projected;
        }
        catch
        {
            projected.Dispose();
            throw;
        }
    }

    /// <summary>Makes room for the projections of rows that do not all come at once.</summary>
    /// <param name="rows">How many there will be in all.</param>
    public ProjectedHead Prepare(int rows) => new(Shape, rows);

    /// <summary>Projects some of the rows; in which pieces they come changes no bit.</summary>
    /// <param name="x"><c>[rows, ModelDim]</c>, row-major.</param>
    /// <param name="firstRow">Where the first of them belongs.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="projected">What <see cref="Prepare"/> returned; only these rows are written.</param>
    /// <param name="cancellationToken">Checked between panels of columns, each of which all rows go through.</param>
    /// <exception cref="ArgumentException">x is too short, or there is no room for the rows.</exception>
    public void ProjectRows(ReadOnlySpan<float> x, int firstRow, int rows, in ProjectedHead projected, CancellationToken cancellationToken = default) =>
        LinearKernel.Apply(x, rows, _projection, projected.Rows(firstRow, rows), cancellationToken);

    /// <summary>An empty cache for this head's keys and values.</summary>
    /// <param name="capacity">Positions it can hold.</param>
    public KvCache CreateCache(int capacity) => new(Shape.HeadDim, Shape.ValueDim, capacity);

    /// <summary>Appends the keys and values of some projected rows to a cache, and attends to all that it holds then.</summary>
    /// <param name="projected">What <see cref="Project"/> returned.</param>
    /// <param name="firstRow">The first of the rows.</param>
    /// <param name="rows">How many; their positions follow those that the cache holds.</param>
    /// <param name="cache">Keys and values of the positions before.</param>
    /// <param name="output">z: row r is <c>output[r·outputStride …]</c>, OutputDim long: the query heads side by side.</param>
    /// <param name="outputStride">Elements from one output row to the next.</param>
    /// <param name="cancellationToken">Checked between tiles of rows. The cache holds the new keys and values all the same.</param>
    /// <exception cref="ArgumentException">
    /// The cache is one of another shape, the output is too short or the rows are not there; nothing was appended.
    /// </exception>
    /// <exception cref="InvalidOperationException">The rows do not fit the cache; nothing was appended.</exception>
    public void Attend(
        in ProjectedHead projected,
        int firstRow,
        int rows,
        KvCache cache,
        Span<float> output,
        int outputStride,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cache);
        CheckCache(cache);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputStride, Shape.OutputDim);
        if (rows == 0)
        {
            return;
        }

        Check.AtLeast(output.Length, ((long)(rows - 1) * outputStride) + Shape.OutputDim, nameof(output));
        var position = cache.Length;
        cache.Append(projected.Keys(firstRow), projected.Stride, projected.Values(firstRow), projected.Stride, rows);
        for (var head = 0; head < Shape.QueryHeads; head++)
        {
            AttentionKernel.Attend(
                projected.Queries(head, firstRow),
                projected.Stride,
                rows,
                position,
                cache,
                _options,
                AttentionMask.None,
                output[(head * Shape.ValueDim)..],
                outputStride,
                cancellationToken);
        }
    }

    /// <summary>Attends within each sequence of the projected rows.</summary>
    /// <param name="projected">What <see cref="Project"/> returned.</param>
    /// <param name="sequenceLengths">Rows of each sequence; they add up to the projected rows.</param>
    /// <param name="output">z: row r is <c>output[r·outputStride …]</c>, OutputDim long: the query heads side by side.</param>
    /// <param name="outputStride">Elements from one output row to the next.</param>
    /// <param name="cancellationToken">Checked between tiles of rows.</param>
    /// <exception cref="ArgumentException">The output is too short or the lengths do not add up.</exception>
    public void Attend(
        in ProjectedHead projected,
        ReadOnlySpan<int> sequenceLengths,
        Span<float> output,
        int outputStride,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputStride, Shape.OutputDim);
        if (projected.RowCount > 0)
        {
            Check.AtLeast(output.Length, ((long)(projected.RowCount - 1) * outputStride) + Shape.OutputDim, nameof(output));
        }

        using var cache = CreateCache(Longest(projected.RowCount, sequenceLengths));
        var first = 0;
        foreach (var length in sequenceLengths)
        {
            // The output may end with the head's columns of the last row.
            if (length == 0)
            {
                continue;
            }

            cache.Clear();
            Attend(projected, first, length, cache, output[(first * outputStride)..], outputStride, cancellationToken);
            first += length;
        }
    }

    /// <summary>Computes the attention patterns of one sequence of the projected rows.</summary>
    /// <param name="projected">What <see cref="Project"/> returned.</param>
    /// <param name="firstRow">First row of the sequence.</param>
    /// <param name="length">Rows of the sequence.</param>
    /// <param name="pattern"><c>[QueryHeads, length, length]</c>.</param>
    /// <param name="cancellationToken">Checked between tiles of rows.</param>
    /// <exception cref="ArgumentException">The pattern is too short or the rows are not there.</exception>
    public void Pattern(in ProjectedHead projected, int firstRow, int length, Span<float> pattern, CancellationToken cancellationToken = default)
    {
        if (length == 0)
        {
            return;
        }

        using var cache = CreateCache(length);
        cache.Append(projected.Keys(firstRow), projected.Stride, projected.Values(firstRow), projected.Stride, length);
        for (var head = 0; head < Shape.QueryHeads; head++)
        {
            AttentionKernel.Pattern(
                projected.Queries(head, firstRow),
                projected.Stride,
                length,
                firstPosition: 0,
                cache,
                _options,
                AttentionMask.None,
                pattern.Slice(head * length * length, length * length),
                cancellationToken);
        }
    }

    /// <summary>Computes the largest entries of each row of the patterns of one sequence; no more than a few whole rows are ever held.</summary>
    /// <param name="projected">What <see cref="Project"/> returned.</param>
    /// <param name="firstRow">First row of the sequence.</param>
    /// <param name="length">Rows of the sequence.</param>
    /// <param name="count">Entries of a row, 1 to <paramref name="length"/>.</param>
    /// <param name="shares"><c>[QueryHeads, length, count]</c>: the bits of <see cref="Pattern"/>, of each row the largest first.</param>
    /// <param name="keys"><c>[QueryHeads, length, count]</c>: their keys, the lowest first among equal shares.</param>
    /// <param name="cancellationToken">Checked between tiles of rows.</param>
    /// <exception cref="ArgumentException">The shares or keys are too short or the rows are not there.</exception>
    public void LargestOfPattern(
        in ProjectedHead projected,
        int firstRow,
        int length,
        int count,
        Span<float> shares,
        Span<int> keys,
        CancellationToken cancellationToken = default)
    {
        Check.AtLeast(shares.Length, (long)Shape.QueryHeads * length * count, nameof(shares));
        Check.AtLeast(keys.Length, (long)Shape.QueryHeads * length * count, nameof(keys));
        if (length == 0)
        {
            return;
        }

        using var cache = CreateCache(length);
        cache.Append(projected.Keys(firstRow), projected.Stride, projected.Values(firstRow), projected.Stride, length);
        var rows = ArrayPool<float>.Shared.Rent(AttentionTile.MaxRows * length);
        try
        {
            for (var row = 0; row < Shape.QueryHeads * length;)
            {
                var (head, position) = Math.DivRem(row, length);
                var tile = Math.Min(AttentionTile.MaxRows, length - position);
                AttentionKernel.Pattern(
                    projected.Queries(head, firstRow + position), projected.Stride, tile, position, cache, _options, AttentionMask.None, rows, cancellationToken);
                for (var r = 0; r < tile; r++, row++)
                {
                    LargestKernel.Select(rows.AsSpan(r * length, length), shares.Slice(row * count, count), keys.Slice(row * count, count));
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rows);
        }
    }

    /// <summary>Throws unless a cache is one of this head's keys and values.</summary>
    internal void CheckCache(KvCache cache)
    {
        if (cache.HeadDim != Shape.HeadDim || cache.ValueDim != Shape.ValueDim)
        {
            throw new ArgumentException($"a cache of keys of {cache.HeadDim} and values of {cache.ValueDim} elements does not fit {Shape}", nameof(cache));
        }
    }

    private static PackedMatrix Pack(HeadShape shape, LinearPart query, LinearPart key, LinearPart value) =>
        query.Outputs == shape.QueryHeads * shape.HeadDim && key.Outputs == shape.HeadDim && value.Outputs == shape.ValueDim
            ? PackedMatrix.Pack(shape.ModelDim, query, key, value)
            : throw new ArgumentException(
                $"projections to {query.Outputs}, {key.Outputs} and {value.Outputs} columns do not fit {shape}", nameof(shape));

    private static int Longest(int rows, ReadOnlySpan<int> sequenceLengths)
    {
        long sum = 0;
        var longest = 0;
        foreach (var length in sequenceLengths)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(sequenceLengths));
            sum += length;
            longest = Math.Max(longest, length);
        }

        return sum == rows
            ? longest
            : throw new ArgumentException($"sequences of {sum} rows in all, but {rows} were projected", nameof(sequenceLengths));
    }
}
