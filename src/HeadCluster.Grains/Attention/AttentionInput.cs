using System.Globalization;
using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>Checks what comes in at the edge of an attention grain, before any memory is allocated for it.</summary>
internal static class AttentionInput
{
    /// <summary>Checks shape, sequence lengths and values.</summary>
    /// <param name="where">The layer or head, for errors.</param>
    /// <param name="x">Expected to be <c>[rows, modelDim]</c>, 1 row or more, all values finite.</param>
    /// <param name="sequenceLengths">Expected to be 1 to maxSequenceLength each and to add up to all rows.</param>
    /// <param name="modelDim">Columns of x.</param>
    /// <param name="maxSequenceLength">Positions the model knows.</param>
    /// <exception cref="HeadClusterException">Something is not as expected.</exception>
    public static void Check(string where, FloatTensor? x, int[] sequenceLengths, int modelDim, int maxSequenceLength)
    {
        if (x is not { Rank: 2 })
        {
            throw Invalid($"{where}: x is {(x is null ? "missing" : x.ToString())}; expected float32[rows, {modelDim}]");
        }

        CheckShape(where, x.Rows, x.Columns, sequenceLengths, modelDim, maxSequenceLength);
        CheckValues(where, x, firstRow: 0);
    }

    /// <summary>Checks what is known of x before its values are there.</summary>
    /// <exception cref="HeadClusterException">Something is not as expected.</exception>
    public static void CheckShape(string where, int rows, int columns, int[] sequenceLengths, int modelDim, int maxSequenceLength)
    {
        if (columns != modelDim)
        {
            throw Invalid($"{where}: x is float32[{rows}, {columns}]; expected float32[rows, {modelDim}]");
        }

        if (rows == 0)
        {
            throw Invalid($"{where}: x has no rows; expected 1 to {maxSequenceLength}");
        }

        SequenceLengths.Check(where, sequenceLengths, rows, maxSequenceLength);
        WireLimits.Check(rows, columns, sequenceLengths);
    }

    /// <summary>Checks that some rows of x are finite.</summary>
    /// <exception cref="HeadClusterException">A value is not.</exception>
    public static void CheckValues(string where, FloatTensor x, int firstRow)
    {
        var bad = NonFinite.IndexOf(x.Span);
        if (bad >= 0)
        {
            var (row, column) = Math.DivRem(bad, x.Columns);
            throw Invalid($"{where}: x is {x.Span[bad]} at row {firstRow + row}, column {column}; expected finite values");
        }
    }

    /// <summary>
    /// x as it travels, and as heads get it that it does not travel to: itself, or rounded into memory of its own.
    /// </summary>
    /// <exception cref="HeadClusterException">A value is rounded to infinity.</exception>
    public static FloatTensor Round(string where, FloatTensor x, WirePrecision precision)
    {
        var rounded = x.RoundTo(precision);
        var bad = ReferenceEquals(rounded, x) ? -1 : NonFinite.IndexOf(rounded.Span);
        if (bad >= 0)
        {
            var (row, column) = Math.DivRem(bad, x.Columns);
            throw Invalid($"{where}: x is {x.Span[bad]} at row {row}, column {column}, which {precision} does not hold; set HeadCluster:WirePrecision to Float32");
        }

        return rounded;
    }

    private static HeadClusterException Invalid(FormattableString message) =>
        HeadClusterException.InvalidInput(message.ToString(CultureInfo.InvariantCulture));
}
