using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// y = x W + b on packed weights. Lanes run over the columns of y; each element of y is one chain of fused multiply-adds that
/// starts at its bias and goes through the inputs in ascending order, so its bits do not depend on how many rows, columns or
/// threads there are.
/// </summary>
public static class LinearKernel
{
    /// <summary>Rows that share one pass over a panel: enough independent chains to hide the latency of an FMA.</summary>
    private const int TileRows = 8;

    /// <summary>Computes y[r, c] = b[c] + Σ_i x[r, i] W[i, c], i ascending.</summary>
    /// <param name="x"><c>[rows, weights.Inputs]</c>, row-major.</param>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="weights">W and b.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>, row-major; must not overlap x.</param>
    /// <param name="cancellationToken">Checked between tiles of rows; the rows not yet reached stay as they were.</param>
    /// <exception cref="ArgumentException">A span is too short, or y overlaps x.</exception>
    public static void Apply(ReadOnlySpan<float> x, int rows, PackedMatrix weights, Span<float> y, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Check.AtLeast(x.Length, (long)rows * weights.Inputs, nameof(x));
        Check.AtLeast(y.Length, (long)rows * weights.Outputs, nameof(y));
        Check.Apart(x, y, nameof(y));

        for (var row = 0; row < rows;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var tile = rows - row >= TileRows ? TileRows : 1;
            var xTile = x.Slice(row * weights.Inputs, tile * weights.Inputs);
            var yTile = y.Slice(row * weights.Outputs, tile * weights.Outputs);
            for (int column = 0, panel = 0; column < weights.Outputs; column += Lanes.Count, panel++)
            {
                var columns = Math.Min(Lanes.Count, weights.Outputs - column);
                if (tile == TileRows)
                {
                    ApplyTile(xTile, weights.Panel(panel), weights.Bias(panel), yTile[column..], weights.Outputs, columns);
                }
                else
                {
                    ApplyRow(xTile, weights.Panel(panel), weights.Bias(panel), yTile[column..], columns);
                }
            }

            row += tile;
        }
    }

    private static void ApplyRow(ReadOnlySpan<float> x, ReadOnlySpan<float> panel, Vector512<float> bias, Span<float> y, int columns)
    {
        ref var w = ref MemoryMarshal.GetReference(panel);
        var sum = bias;
        for (var i = 0; i < x.Length; i++)
        {
            sum = Vector512.FusedMultiplyAdd(Vector512.Create(x[i]), Vector512.LoadUnsafe(ref w, (nuint)(i * Lanes.Count)), sum);
        }

        Store(sum, y, columns);
    }

    // Eight rows, one panel: eight chains in registers, one load of weights for eight fused multiply-adds.
    private static void ApplyTile(ReadOnlySpan<float> x, ReadOnlySpan<float> panel, Vector512<float> bias, Span<float> y, int outputs, int columns)
    {
        var inputs = x.Length / TileRows;
        ref var w = ref MemoryMarshal.GetReference(panel);
        ref var x0 = ref MemoryMarshal.GetReference(x);
        ref var x1 = ref Unsafe.Add(ref x0, inputs);
        ref var x2 = ref Unsafe.Add(ref x1, inputs);
        ref var x3 = ref Unsafe.Add(ref x2, inputs);
        ref var x4 = ref Unsafe.Add(ref x3, inputs);
        ref var x5 = ref Unsafe.Add(ref x4, inputs);
        ref var x6 = ref Unsafe.Add(ref x5, inputs);
        ref var x7 = ref Unsafe.Add(ref x6, inputs);
        Vector512<float> y0 = bias, y1 = bias, y2 = bias, y3 = bias, y4 = bias, y5 = bias, y6 = bias, y7 = bias;
        for (nuint i = 0; i < (nuint)inputs; i++)
        {
            var row = Vector512.LoadUnsafe(ref w, i * Lanes.Count);
            y0 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x0, i)), row, y0);
            y1 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x1, i)), row, y1);
            y2 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x2, i)), row, y2);
            y3 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x3, i)), row, y3);
            y4 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x4, i)), row, y4);
            y5 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x5, i)), row, y5);
            y6 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x6, i)), row, y6);
            y7 = Vector512.FusedMultiplyAdd(Vector512.Create(Unsafe.Add(ref x7, i)), row, y7);
        }

        Store(y0, y, columns);
        Store(y1, y[outputs..], columns);
        Store(y2, y[(2 * outputs)..], columns);
        Store(y3, y[(3 * outputs)..], columns);
        Store(y4, y[(4 * outputs)..], columns);
        Store(y5, y[(5 * outputs)..], columns);
        Store(y6, y[(6 * outputs)..], columns);
        Store(y7, y[(7 * outputs)..], columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> value, Span<float> y, int columns)
    {
        if (columns == Lanes.Count)
        {
            value.CopyTo(y);
        }
        else
        {
            Lanes.Store(value, y[..columns], 0);
        }
    }
}
