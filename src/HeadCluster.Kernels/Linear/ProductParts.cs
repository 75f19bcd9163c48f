namespace HeadCluster.Kernels;

/// <summary>
/// Splits y = x W + b over threads: into columns, since threads that go through different weights need not all go through all of them,
/// and where columns are few into rows. Neither changes a bit.
/// </summary>
public readonly struct ProductParts
{
    /// <summary>Enough that threads which begin or are held up at different times end together.</summary>
    private const int PartsPerThread = 8;

    /// <summary>For a row alone, parts a thread.</summary>
    private const int LeastPartsOfRow = 2;

    /// <summary>Rows for which a part reads a panel's weights, at least: reading them anew for each tile would take its time.</summary>
    private const int LeastRows = 8 * PanelKernel.MaxRows;

    private readonly PackedMatrix _weights;
    private readonly int _rows;
    private readonly int _panels;
    private readonly RowBlocks _blocks;

    /// <summary>Splits a product.</summary>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="weights">W and b.</param>
    /// <param name="threads">How many threads share the parts.</param>
    public ProductParts(int rows, PackedMatrix weights, int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _weights = weights;
        _rows = rows;

        // A row alone goes through several at once.
        _panels = rows == 1 ? Math.Clamp(weights.Panels / (LeastPartsOfRow * threads), 1, PanelKernel.MaxPanelsOfRow) : 1;
        _blocks = new RowBlocks(rows, Math.Max(1, Math.Min(PartsPerThread * threads / weights.Panels, rows / LeastRows)));
    }

    /// <summary>How many parts there are.</summary>
    public int Count => _blocks.Count * ((_weights.Panels + _panels - 1) / _panels);

    /// <summary>Floating-point operations of all parts.</summary>
    public long Operations => 2L * _rows * _weights.Inputs * _weights.Outputs;

    /// <summary>The columns of y that a part computes.</summary>
    /// <param name="part">Its number.</param>
    public Range Columns(int part)
    {
        var (first, count) = Panels(part / _blocks.Count);
        return (first * PanelKernel.PanelColumns)..Math.Min((first + count) * PanelKernel.PanelColumns, _weights.Outputs);
    }

    /// <summary>Computes one part.</summary>
    /// <param name="part">Its number.</param>
    /// <param name="x"><c>[rows, weights.Inputs]</c>, row-major.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>, row-major, of which only the part's elements are written.</param>
    /// <param name="cancellationToken">Checked between panels of columns.</param>
    public void Compute(int part, ReadOnlySpan<float> x, Span<float> y, CancellationToken cancellationToken)
    {
        var (group, block) = Math.DivRem(part, _blocks.Count);
        var (firstPanel, panels) = Panels(group);
        var (first, count) = _blocks[block];
        LinearKernel.ApplyPanels(
            x[(first * _weights.Inputs)..], count, _weights, firstPanel, panels, y[(first * _weights.Outputs)..], cancellationToken);
    }

    private (int First, int Count) Panels(int group) => (group * _panels, Math.Min(_panels, _weights.Panels - (group * _panels)));
}
