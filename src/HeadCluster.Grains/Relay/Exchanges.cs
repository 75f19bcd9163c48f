using System.Collections.Concurrent;

namespace HeadCluster.Grains;

/// <summary>The requests from this silo of which other silos still read rows of x or bring rows of z.</summary>
internal sealed class Exchanges
{
    private readonly ConcurrentDictionary<Guid, Exchange> _open = new();

    /// <summary>Opens an exchange until the result is disposed.</summary>
    /// <param name="x"><c>[rows, ModelDim]</c>.</param>
    /// <param name="z">Where the heads' outputs belong, each at its index.</param>
    public Exchange Open(FloatTensor x, ArrivingHeads z)
    {
        var exchange = new Exchange(this, x, z);
        _open[exchange.Id] = exchange;
        return exchange;
    }

    /// <exception cref="HeadClusterException">The request has ended.</exception>
    public Exchange Find(Guid id) => TryFind(id)
        ?? throw new HeadClusterException(HeadClusterErrorKind.Unavailable, "the request has ended");

    /// <summary>Null if the request has ended.</summary>
    public Exchange? TryFind(Guid id) => _open.GetValueOrDefault(id);

    private void Close(Exchange exchange) => _open.TryRemove(exchange.Id, out _);

    /// <summary>What one request gives and takes.</summary>
    internal sealed class Exchange(Exchanges exchanges, FloatTensor x, ArrivingHeads z) : IDisposable
    {
        public Guid Id { get; } = Guid.NewGuid();

        public FloatTensor Read(int firstRow, int rows) =>
            firstRow >= 0 && rows > 0 && rows <= x.Rows - firstRow
                ? x.RowRange(firstRow, rows)
                : throw HeadClusterException.InvalidInput($"rows {firstRow} to {(long)firstRow + rows} of {x} were asked for");

        /// <summary>
        /// Takes z of some heads, side by side, the last rows last. Taking it twice changes nothing: the bits are the same.
        /// </summary>
        public void Write(int[] heads, int firstRow, FloatTensor rows)
        {
            var matrix = z.Matrix;
            if (rows.Rank != 2 || firstRow < 0 || rows.Rows > x.Rows - firstRow || rows.Columns != heads.Length * matrix.Width
                || heads.Any(head => (uint)head >= (uint)matrix.Heads))
            {
                throw HeadClusterException.InvalidInput($"{rows} at row {firstRow} is not z of {heads.Length} heads of {matrix.Width} columns");
            }

            matrix.Write(rows, heads, firstRow);
            if (firstRow + rows.Rows == x.Rows)
            {
                Array.ForEach(heads, z.Add);
            }
        }

        public void Dispose() => exchanges.Close(this);
    }
}
