using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// y = x W + b on packed weights. Lanes run over the columns of y; each element of y is one chain of fused multiply-adds that
/// starts at its bias and goes through the inputs in ascending order, so its bits do not depend on how many rows, columns or
/// threads there are.
/// </summary>
public static class LinearKernel
{
    /// <summary>Computes y[r, c] = b[c] + Σ_i x[r, i] W[i, c], i ascending.</summary>
    /// <param name="x"><c>[rows, weights.Inputs]</c>, row-major.</param>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="weights">W and b.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>, row-major; must not overlap x.</param>
    /// <param name="cancellationToken">Checked between panels of columns; y is incomplete after it.</param>
    /// <exception cref="ArgumentException">A span is too short, or y overlaps x.</exception>
    public static void Apply(ReadOnlySpan<float> x, int rows, PackedMatrix weights, Span<float> y, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ApplyInputs(x, rows, weights, 0, weights.Inputs, y, cancellationToken);
    }

    /// <summary>Computes the columns of <see cref="Apply"/> that some panels of the weights have.</summary>
    /// <param name="x"><c>[rows, weights.Inputs]</c>, row-major.</param>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="weights">W and b.</param>
    /// <param name="firstPanel">The first of the panels.</param>
    /// <param name="panels">How many they are.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>, row-major, of which only their columns are written; must not overlap x.</param>
    /// <param name="cancellationToken">Checked between panels.</param>
    /// <exception cref="ArgumentException">A span is too short, y overlaps x, or W has no such panels.</exception>
    internal static void ApplyPanels(
        ReadOnlySpan<float> x, int rows, PackedMatrix weights, int firstPanel, int panels, Span<float> y, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstPanel);
        ArgumentOutOfRangeException.ThrowIfNegative(panels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(panels, weights.Panels - firstPanel);
        Compute(x, rows, weights, firstInput: 0, weights.Inputs, firstPanel, firstPanel + panels, y, cancellationToken);
    }

    /// <summary>
    /// Computes the part of <see cref="Apply"/> that some inputs have in it: the first inputs begin at the bias, later ones go on with
    /// what y holds. Ranges that follow each other from input 0 to the last give the bits of all inputs at once.
    /// </summary>
    /// <param name="x"><c>[rows, weights.Inputs]</c>, row-major, of which only the columns of these inputs are read.</param>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="weights">W and b.</param>
    /// <param name="firstInput">The first of the inputs.</param>
    /// <param name="inputs">How many they are.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>, row-major: what all earlier inputs gave; must not overlap x.</param>
    /// <param name="cancellationToken">Checked between panels of columns; y is incomplete after it.</param>
    /// <exception cref="ArgumentException">A span is too short, y overlaps x, or the inputs are not those of W.</exception>
    public static void ApplyInputs(
        ReadOnlySpan<float> x, int rows, PackedMatrix weights, int firstInput, int inputs, Span<float> y, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegative(firstInput);
        ArgumentOutOfRangeException.ThrowIfNegative(inputs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputs, weights.Inputs - firstInput);
        Compute(x, rows, weights, firstInput, inputs, firstPanel: 0, weights.Panels, y, cancellationToken);
    }

    private static void Compute(
        ReadOnlySpan<float> x,
        int rows,
        PackedMatrix weights,
        int firstInput,
        int inputs,
        int firstPanel,
        int endPanel,
        Span<float> y,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Check.AtLeast(x.Length, (long)rows * weights.Inputs, nameof(x));
        Check.AtLeast(y.Length, (long)rows * weights.Outputs, nameof(y));
        Check.Apart(x, y, nameof(y));
        if (rows == 0 || (inputs == 0 && firstInput > 0))
        {
            return;
        }

        var product = new Product
        {
            X = x[firstInput..],
            Rows = rows,
            Weights = weights,
            FirstInput = firstInput,
            Inputs = inputs,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
            Y = y,
        };
        switch (weights.Format)
        {
            case WeightFormat.BFloat16: Apply<BFloat16Weights, ushort>(product, cancellationToken); break;
            case WeightFormat.Float16 when weights.IsFinite: Apply<FiniteFloat16Weights, ushort>(product, cancellationToken); break;
            case WeightFormat.Float16: Apply<Float16Weights, ushort>(product, cancellationToken); break;
            default: Apply<Float32Weights, float>(product, cancellationToken); break;
        }
    }

    private static void Apply<TFormat, TStored>(in Product product, CancellationToken cancellationToken)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        if (product.Rows == 1)
        {
            ApplyRow<TFormat, TStored>(product, cancellationToken);
            return;
        }

        // A panel stays in the second-level cache while all rows pass by.
        for (var panel = product.FirstPanel; panel < product.EndPanel; panel++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ApplyPanel<TFormat, TStored>(product, panel);
        }
    }

    // A row alone reads each weight once: memory sets the pace.
    [MethodImpl(Compile.Alone)]
    private static void ApplyRow<TFormat, TStored>(in Product product, CancellationToken cancellationToken)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        var weights = product.Weights;
        var whole = Math.Min(product.EndPanel, weights.Outputs / PanelKernel.PanelColumns);
        for (var panel = product.FirstPanel; panel < whole;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var panels = Math.Min(PanelKernel.MaxPanelsOfRow, whole - panel);
            var column = panel * PanelKernel.PanelColumns;
            var tile = product.Tile(column, in product.Panel<TStored>(panel), row: 0, ref product.Y[column], weights.Outputs);
            PanelKernel.RunRow<TFormat, TStored>(panels, tile, (nuint)(weights.Inputs * PanelKernel.PanelColumns));
            panel += panels;
        }

        if (whole < product.EndPanel)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ApplyPanel<TFormat, TStored>(product, whole);
        }
    }

    [MethodImpl(Compile.Alone)]
    private static void ApplyPanel<TFormat, TStored>(in Product product, int panel)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        ref readonly var stored = ref product.Panel<TStored>(panel);
        if (!TFormat.IsCostly || product.Rows <= PanelKernel.MaxRows)
        {
            ApplyTiles<TFormat, TStored>(product, panel, in stored, product.WeightsToNext<TStored>(panel));
            return;
        }

        // Weights that several tiles of rows read are widened once for all of them.
        var length = product.Inputs * product.Weights.PanelWidth(panel);
        var wide = ArrayPool<float>.Shared.Rent(length + Lanes.Count);
        for (var i = 0; i < length; i += Lanes.Count)
        {
            TFormat.Load(in stored, (nuint)i).StoreUnsafe(ref wide[i]);
        }

        ApplyTiles<Float32Weights, float>(product, panel, in wide[0], next: 0);
        ArrayPool<float>.Shared.Return(wide);
    }

    // Next: where the next panel's weights start, counted from this one's. Memory has them ready only if they are asked for before they are
    // needed: the first rows would take twice as long as the others. All tiles of rows together ask for all of them.
    [MethodImpl(Compile.Alone)]
    private static void ApplyTiles<TFormat, TStored>(in Product product, int panel, ref readonly TStored stored, nuint next)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        var (rows, weights) = (product.Rows, product.Weights);
        var vectors = weights.PanelWidth(panel) / Lanes.Count;
        var column = panel * PanelKernel.PanelColumns;
        for (var vector = 0; vector < vectors;)
        {
            var count = PanelKernel.NextVectors(rows, vectors - vector);
            var ask = next == 0 ? 0 : Math.Min(((count * Lanes.Count * PanelKernel.MaxRows) + rows - 1) / rows, Lanes.Count);
            var tile = product.Tile(column, in stored, row: 0, ref product.Y[column], weights.Outputs);
            (tile.NextWeights, tile.NextWeightsPerInput) = (next, (nuint)ask);
            PanelKernel.Run<TFormat, TStored>(rows, count, tile);
            next += next == 0 ? 0 : tile.Inputs * (nuint)(count * Lanes.Count);

            vector += count;
            column += count * Lanes.Count;
        }

        if (weights.PanelWidth(panel) % Lanes.Count != 0)
        {
            ApplyLastColumns<TFormat, TStored>(product, in stored);
        }
    }

    // Fewer than 16 columns: the kernel reads and writes whole vectors, of which the rest belongs to the next row of y, so not in y.
    [MethodImpl(Compile.Alone)]
    private static void ApplyLastColumns<TFormat, TStored>(in Product product, ref readonly TStored stored)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        var (rows, outputs) = (product.Rows, product.Weights.Outputs);
        var columns = outputs % Lanes.Count;
        Span<float> wide = stackalloc float[PanelKernel.MaxRows * Lanes.Count];
        var column = outputs - columns;
        for (var row = 0; row < rows; row += PanelKernel.MaxRows)
        {
            var count = Math.Min(PanelKernel.MaxRows, rows - row);
            for (var r = 0; r < count && product.GoesOn; r++)
            {
                product.Y.Slice(((row + r) * outputs) + column, columns).CopyTo(wide[(r * Lanes.Count)..]);
            }

            PanelKernel.Run<TFormat, TStored>(count, vectors: 1, product.Tile(column, in stored, row, ref wide[0], Lanes.Count));
            for (var r = 0; r < count; r++)
            {
                wide.Slice(r * Lanes.Count, columns).CopyTo(product.Y[(((row + r) * outputs) + column)..]);
            }
        }
    }

    // Some inputs and columns of some rows. X begins at the first of the inputs.
    private ref struct Product
    {
        public ReadOnlySpan<float> X;
        public int Rows;
        public PackedMatrix Weights;
        public int FirstInput;
        public int Inputs;
        public int FirstPanel;
        public int EndPanel;
        public Span<float> Y;

        // Whether y holds what earlier inputs gave.
        public readonly bool GoesOn => FirstInput > 0;

        // The weights of these inputs in a panel.
        public readonly ref readonly TStored Panel<TStored>(int panel)
            where TStored : unmanaged =>
            ref Unsafe.Add(ref Unsafe.AsRef(in Weights.Panel<TStored>(panel)), FirstInput * Weights.PanelWidth(panel));

        // From the weights of these inputs in a panel to those in the next; 0 for the last that is computed.
        public readonly nuint WeightsToNext<TStored>(int panel)
            where TStored : unmanaged =>
            panel + 1 < EndPanel
                ? (nuint)(Unsafe.ByteOffset(in Panel<TStored>(panel), in Panel<TStored>(panel + 1)) / Unsafe.SizeOf<TStored>())
                : 0;

        // The columns from one on, of the panel whose weights of these inputs begin at `panel`; y has those of the row.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly PanelTile<TStored> Tile<TStored>(int column, ref readonly TStored panel, int row, ref float y, int yStride)
            where TStored : unmanaged =>
            new()
            {
                X = ref X[row * Weights.Inputs],
                XStride = (nuint)Weights.Inputs,
                NextX = (nuint)(PanelKernel.MaxRows * Weights.Inputs),
                Inputs = (nuint)Inputs,
                Weights = ref Unsafe.Add(ref Unsafe.AsRef(in panel), column % PanelKernel.PanelColumns),
                InputStride = (nuint)Weights.PanelWidth(column / PanelKernel.PanelColumns),
                Start = ref GoesOn ? ref y : ref Weights.Bias(column),
                StartStride = GoesOn ? (nuint)yStride : 0,
                Y = ref y,
                YStride = (nuint)yStride,
            };
    }
}
