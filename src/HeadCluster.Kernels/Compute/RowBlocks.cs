namespace HeadCluster.Kernels;

/// <summary>Rows in blocks of whole tiles of <see cref="PanelKernel"/>, of which none has more than one tile more than another.</summary>
internal readonly struct RowBlocks
{
    private readonly int _rows;
    private readonly int _tiles;

    /// <param name="rows">How many rows.</param>
    /// <param name="most">How many blocks at most, 1 or more; there are fewer where there are not so many tiles.</param>
    public RowBlocks(int rows, int most)
    {
        _rows = rows;
        _tiles = (rows + PanelKernel.MaxRows - 1) / PanelKernel.MaxRows;
        Count = Math.Min(most, _tiles);
    }

    /// <summary>How many blocks there are.</summary>
    public int Count { get; }

    /// <summary>The first row of a block, and how many it has.</summary>
    public (int First, int Count) this[int block] => (Begin(block), Begin(block + 1) - Begin(block));

    private int Begin(int block) => Math.Min(_rows, (int)((long)_tiles * block / Count) * PanelKernel.MaxRows);
}
