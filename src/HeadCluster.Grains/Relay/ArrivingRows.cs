namespace HeadCluster.Grains;

/// <summary>
/// A layer's input x, <c>[rows, ModelDim]</c>, on this silo: blocks of rows, of which the last may still be on their way. All
/// heads here read the same object. Blocks come in order, and what has arrived never changes.
/// </summary>
internal sealed class ArrivingRows
{
    private readonly Lock _lock = new();
    private readonly List<FloatTensor> _blocks = [];
    private readonly List<int> _firstRows = [];
    private readonly GrowingCount _arrived = new();
    private readonly Lazy<FloatTensor> _whole;

    /// <param name="rows">Rows that there will be.</param>
    /// <param name="columns">ModelDim.</param>
    public ArrivingRows(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        _whole = new(Join);
    }

    /// <summary>Rows that are all there.</summary>
    public ArrivingRows(FloatTensor x)
        : this(x.Rows, x.Columns) => Add(x);

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Rows that have arrived.</summary>
    public int Arrived => _arrived.Value;

    public bool IsComplete => Arrived == Rows;

    /// <summary>The next rows.</summary>
    public void Add(FloatTensor block)
    {
        lock (_lock)
        {
            if (block is not { Rank: 2 } || block.Columns != Columns || block.Rows == 0 || block.Rows > Rows - Arrived)
            {
                throw HeadClusterException.InvalidInput($"a block of x is {block}; expected float32[1 to {Rows - Arrived}, {Columns}]");
            }

            _blocks.Add(block);
            _firstRows.Add(Arrived);
            _arrived.Grow(Arrived + block.Rows);
        }
    }

    /// <summary>No more rows will come; whoever waits for them gets the reason.</summary>
    public void Fail(Exception reason) =>
        _arrived.Fail(new HeadClusterException(HeadClusterErrorKind.Unavailable, $"{Arrived} of {Rows} rows of x arrived: {reason.Message}"));

    /// <summary>Waits until more than <paramref name="known"/> rows have arrived, and says how many.</summary>
    public ValueTask<int> WaitAsync(int known, CancellationToken cancellationToken) => _arrived.WaitAsync(known + 1, cancellationToken);

    /// <summary>Rows that have arrived, from one of them to the end of its block at most.</summary>
    /// <param name="firstRow">The first row.</param>
    /// <param name="mostRows">The most rows.</param>
    /// <param name="rows"><c>[count, ModelDim]</c>.</param>
    /// <returns>How many rows they are, 1 or more.</returns>
    public int Read(int firstRow, int mostRows, out ReadOnlySpan<float> rows)
    {
        FloatTensor block;
        int skip;
        lock (_lock)
        {
            var index = _firstRows.BinarySearch(firstRow);
            index = index < 0 ? ~index - 1 : index;
            block = _blocks[index];
            skip = firstRow - _firstRows[index];
        }

        var count = Math.Min(mostRows, block.Rows - skip);
        rows = block.Span.Slice(skip * Columns, count * Columns);
        return count;
    }

    /// <summary>All rows as one tensor, once they have arrived; the same for whoever asks.</summary>
    public async Task<FloatTensor> WholeAsync(CancellationToken cancellationToken)
    {
        for (var arrived = Arrived; arrived < Rows;)
        {
            arrived = await WaitAsync(arrived, cancellationToken);
        }

        return _whole.Value;
    }

    /// <summary>Gives the memory of all rows back: nobody reads them any more.</summary>
    public void Release()
    {
        foreach (var block in _blocks)
        {
            block.Release();
        }
    }

    private FloatTensor Join()
    {
        if (_blocks is [var only])
        {
            return only;
        }

        var whole = GC.AllocateUninitializedArray<float>(Rows * Columns);
        for (var row = 0; row < Rows;)
        {
            var count = Read(row, Rows - row, out var rows);
            rows.CopyTo(whole.AsSpan(row * Columns));
            row += count;
        }

        return new FloatTensor(whole, Rows, Columns);
    }
}
