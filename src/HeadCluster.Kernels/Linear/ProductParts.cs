namespace HeadCluster.Kernels;

/// <summary>
/// Splits y = x W + b over threads: into columns, since threads that go through different weights need not all go through all of them,
/// and where columns are few into rows. Neither changes a bit.
/// </summary>
internal readonly struct ProductParts
{
    /// <summary>Enough that threads which begin or are held up at different times end together.</summary>
    private const int PartsPerThread = 8;

    /// <summary>Rows for which a part reads a panel's weights, at least: reading them anew for each tile would take its time.</summary>
    private const int LeastRows = 8 * PanelKernel.MaxRows;

    private readonly PackedMatrix _weights;
    private readonly int _rows;
    private readonly RowBlocks _blocks;

    /// <param name="rows">Rows of x and y.</param>
    /// <param name="weights">W and b.</param>
    /// <param name="threads">How many threads share the parts.</param>
    public ProductParts(int rows, PackedMatrix weights, int threads)
    {
        _weights = weights;
        _rows = rows;
        _blocks = new RowBlocks(rows, Math.Max(1, Math.Min(PartsPerThread * threads / weights.Panels, rows / LeastRows)));
    }

    /// <summary>How many parts there are.</summary>
    public int Count => _blocks.Count * _weights.Panels;

    /// <summary>Floating-point operations of all parts.</summary>
    public long Operations => 2L * _rows * _weights.Inputs * _weights.Outputs;

    /// <summary>Computes one part.</summary>
    /// <param name="part">Its number.</param>
    /// <param name="x"><c>[rows, weights.Inputs]</c>, row-major.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>, row-major, of which only the part's elements are written.</param>
    /// <param name="cancellationToken">Checked at the beginning.</param>
    public void Compute(int part, ReadOnlySpan<float> x, Span<float> y, CancellationToken cancellationToken)
    {
        var (panel, block) = Math.DivRem(part, _blocks.Count);
        var (first, count) = _blocks[block];
        LinearKernel.ApplyPanel(x[(first * _weights.Inputs)..], count, _weights, panel, y[(first * _weights.Outputs)..], cancellationToken);
    }
}
