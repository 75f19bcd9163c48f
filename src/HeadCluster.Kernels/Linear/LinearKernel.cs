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
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Check.AtLeast(x.Length, (long)rows * weights.Inputs, nameof(x));
        Check.AtLeast(y.Length, (long)rows * weights.Outputs, nameof(y));
        Check.Apart(x, y, nameof(y));

        switch (weights.Format)
        {
            case WeightFormat.BFloat16: Apply<BFloat16Weights, ushort>(x, rows, weights, y, cancellationToken); break;
            case WeightFormat.Float16: Apply<Float16Weights, ushort>(x, rows, weights, y, cancellationToken); break;
            default: Apply<Float32Weights, float>(x, rows, weights, y, cancellationToken); break;
        }
    }

    private static void Apply<TFormat, TStored>(
        ReadOnlySpan<float> x, int rows, PackedMatrix weights, Span<float> y, CancellationToken cancellationToken)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        if (rows == 1)
        {
            ApplyRow<TFormat, TStored>(x[..weights.Inputs], weights, y, cancellationToken);
            return;
        }

        if (rows == 0)
        {
            return;
        }

        // A panel stays in the second-level cache while all rows pass by.
        for (var panel = 0; panel * PanelKernel.PanelColumns < weights.Outputs; panel++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ApplyPanel<TFormat, TStored>(x[..(rows * weights.Inputs)], weights, panel, y);
        }
    }

    // A row alone reads each weight once: memory sets the pace.
    private static void ApplyRow<TFormat, TStored>(ReadOnlySpan<float> x, PackedMatrix weights, Span<float> y, CancellationToken cancellationToken)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        var whole = weights.Outputs / PanelKernel.PanelColumns;
        for (var panel = 0; panel < whole;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var panels = Math.Min(PanelKernel.MaxPanelsOfRow, whole - panel);
            var column = panel * PanelKernel.PanelColumns;
            var tile = Tile(weights, column, in weights.Panel<TStored>(panel), ref y[column], weights.Outputs);
            tile.X = ref x[0];
            PanelKernel.RunRow<TFormat, TStored>(panels, tile, (nuint)(weights.Inputs * PanelKernel.PanelColumns));
            panel += panels;
        }

        if (whole * PanelKernel.PanelColumns < weights.Outputs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ApplyPanel<TFormat, TStored>(x, weights, whole, y);
        }
    }

    private static void ApplyPanel<TFormat, TStored>(ReadOnlySpan<float> x, PackedMatrix weights, int panel, Span<float> y)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        ref readonly var stored = ref weights.Panel<TStored>(panel);
        if (!TFormat.IsCostly || x.Length <= PanelKernel.MaxRows * weights.Inputs)
        {
            ApplyTiles<TFormat, TStored>(x, weights, panel, in stored, y);
            return;
        }

        // Weights that several tiles of rows read are widened once for all of them.
        var length = weights.Inputs * weights.PanelWidth(panel);
        var wide = ArrayPool<float>.Shared.Rent(length + Lanes.Count);
        for (var i = 0; i < length; i += Lanes.Count)
        {
            TFormat.Load(in stored, (nuint)i).StoreUnsafe(ref wide[i]);
        }

        ApplyTiles<Float32Weights, float>(x, weights, panel, in wide[0], y);
        ArrayPool<float>.Shared.Return(wide);
    }

    private static void ApplyTiles<TFormat, TStored>(
        ReadOnlySpan<float> x, PackedMatrix weights, int panel, ref readonly TStored stored, Span<float> y)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        var (rows, vectors) = (x.Length / weights.Inputs, weights.PanelWidth(panel) / Lanes.Count);
        var column = panel * PanelKernel.PanelColumns;
        for (var vector = 0; vector < vectors;)
        {
            var count = PanelKernel.NextVectors(rows, vectors - vector);
            var tile = Tile(weights, column, in stored, ref y[column], weights.Outputs);
            for (var row = 0; row < rows; row += PanelKernel.MaxRows)
            {
                tile.X = ref x[row * weights.Inputs];
                tile.Y = ref y[(row * weights.Outputs) + column];
                PanelKernel.Run<TFormat, TStored>(Math.Min(PanelKernel.MaxRows, rows - row), count, tile);
            }

            vector += count;
            column += count * Lanes.Count;
        }

        if (weights.PanelWidth(panel) % Lanes.Count != 0)
        {
            ApplyLastColumns<TFormat, TStored>(x, weights, in stored, y);
        }
    }

    // Fewer than 16 columns: the kernel writes whole vectors, of which the rest belongs to the next row of y, so not to y at first.
    private static void ApplyLastColumns<TFormat, TStored>(
        ReadOnlySpan<float> x, PackedMatrix weights, ref readonly TStored stored, Span<float> y)
        where TFormat : struct, IWeightFormat<TStored>
        where TStored : unmanaged
    {
        var columns = weights.Outputs % Lanes.Count;
        Span<float> wide = stackalloc float[PanelKernel.MaxRows * Lanes.Count];
        var column = weights.Outputs - columns;
        var tile = Tile(weights, column, in stored, ref wide[0], Lanes.Count);
        var rows = x.Length / weights.Inputs;
        for (var row = 0; row < rows; row += PanelKernel.MaxRows)
        {
            var count = Math.Min(PanelKernel.MaxRows, rows - row);
            tile.X = ref x[row * weights.Inputs];
            PanelKernel.Run<TFormat, TStored>(count, vectors: 1, tile);
            for (var r = 0; r < count; r++)
            {
                wide.Slice(r * Lanes.Count, columns).CopyTo(y[(((row + r) * weights.Outputs) + column)..]);
            }
        }
    }

    // The columns from one on, of the panel whose weights begin at `panel`.
    private static PanelTile<TStored> Tile<TStored>(PackedMatrix weights, int column, ref readonly TStored panel, ref float y, int yStride)
        where TStored : unmanaged
    {
        return new PanelTile<TStored>
        {
            XStride = (nuint)weights.Inputs,
            Inputs = (nuint)weights.Inputs,
            Weights = ref Unsafe.Add(ref Unsafe.AsRef(in panel), column % PanelKernel.PanelColumns),
            InputStride = (nuint)weights.PanelWidth(column / PanelKernel.PanelColumns),
            Start = ref weights.Bias(column),
            Y = ref y,
            YStride = (nuint)yStride,
        };
    }
}
