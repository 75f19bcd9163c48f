using System.Buffers;

namespace HeadCluster.Models;

/// <summary>
/// The weights of y = x W + b, whatever way they lie in the file. W stays there until it is asked for, and then comes in pieces, so that
/// no copy of it need be in memory whole beside what its pieces become. Thread-safe.
/// </summary>
public sealed class LinearWeights
{
    // Of a piece, 1 MiB: it is still in a core's cache when it is used. A piece has one row of the file at least.
    private const int PieceElements = 1 << 18;

    private readonly WeightOrder _order;
    private readonly Action<MatrixSlice, Span<float>> _read;

    /// <summary>Weights that are read later.</summary>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="outputs">Columns of y.</param>
    /// <param name="order">Which axis of W comes first where it lies.</param>
    /// <param name="read">Reads a rectangle of W, <c>[Rows, Columns]</c>, row-major; the rows of W are inputs.</param>
    /// <param name="bias">b, <c>[outputs]</c>, or null for none.</param>
    internal LinearWeights(int inputs, int outputs, WeightOrder order, Action<MatrixSlice, Span<float>> read, float[]? bias)
    {
        Inputs = inputs;
        Outputs = outputs;
        Bias = bias;
        _order = order;
        _read = read;
    }

    /// <summary>Columns of x.</summary>
    public int Inputs { get; }

    /// <summary>Columns of y.</summary>
    public int Outputs { get; }

    /// <summary>b, <c>[Outputs]</c>, or null for none.</summary>
    public float[]? Bias { get; }

    /// <summary>Reads W piece by piece, each weight once, in the order in which they lie in the file.</summary>
    /// <param name="place">
    /// Takes a piece, a rectangle of W <c>[Rows, Columns]</c>, row-major; its memory is the next one's when the call returns.
    /// </param>
    /// <exception cref="ModelException">The file has changed or cannot be read, or a weight is NaN or infinite.</exception>
    public void Read(Action<MatrixSlice, ReadOnlySpan<float>> place)
    {
        ArgumentNullException.ThrowIfNull(place);
        var (rows, rowElements) = _order == WeightOrder.InputsFirst ? (Inputs, Outputs) : (Outputs, Inputs);
        var rowsAtOnce = Math.Clamp(PieceElements / rowElements, 1, rows);
        var buffer = ArrayPool<float>.Shared.Rent(rowsAtOnce * rowElements);
        try
        {
            for (var row = 0; row < rows; row += rowsAtOnce)
            {
                var count = Math.Min(rowsAtOnce, rows - row);
                var piece = buffer.AsSpan(0, count * rowElements);
                MatrixSlice slice = _order == WeightOrder.InputsFirst ? new(row, count, 0, Outputs) : new(0, Inputs, row, count);
                _read(slice, piece);
                place(slice, piece);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads all of W, <c>[Inputs, Outputs]</c>, row-major.</summary>
    /// <exception cref="ModelException">The file has changed or cannot be read, or a weight is NaN or infinite.</exception>
    public float[] Read()
    {
        var weights = new float[Inputs * Outputs];
        _read(new MatrixSlice(0, Inputs, 0, Outputs), weights);
        return weights;
    }
}
