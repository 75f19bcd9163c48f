using System.Buffers;

namespace HeadCluster.Kernels;

/// <summary>
/// Queries, keys and values of some rows, as one head's projections left them: <c>[rows, queries | key | value]</c>. The
/// memory is pooled: dispose it once, after its last use.
/// </summary>
public readonly struct ProjectedHead : IDisposable
{
    private readonly HeadShape _shape;
    private readonly float[] _rows;

    internal ProjectedHead(HeadShape shape, int rows)
    {
        _shape = shape;
        RowCount = rows;
        _rows = ArrayPool<float>.Shared.Rent(checked(rows * shape.ProjectionDim));
    }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Elements from one row's query, key or value to the next row's.</summary>
    public int Stride => _shape.ProjectionDim;

    /// <summary>Some whole rows, <c>[rows, Stride]</c>.</summary>
    internal Span<float> Rows(int firstRow, int rows) => _rows.AsSpan(0, RowCount * Stride).Slice(firstRow * Stride, rows * Stride);

    /// <summary>The queries of one query head from a row on; HeadDim elements every <see cref="Stride"/>.</summary>
    public ReadOnlySpan<float> Queries(int queryHead, int firstRow = 0) => From(firstRow, queryHead * _shape.HeadDim);

    /// <summary>The keys from a row on; HeadDim elements every <see cref="Stride"/>.</summary>
    public ReadOnlySpan<float> Keys(int firstRow = 0) => From(firstRow, _shape.QueryHeads * _shape.HeadDim);

    /// <summary>The values from a row on; ValueDim elements every <see cref="Stride"/>.</summary>
    public ReadOnlySpan<float> Values(int firstRow = 0) => From(firstRow, (_shape.QueryHeads + 1) * _shape.HeadDim);

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => ArrayPool<float>.Shared.Return(_rows);

    private ReadOnlySpan<float> From(int row, int column) => _rows.AsSpan(0, RowCount * Stride)[((row * Stride) + column)..];
}
