using System.Runtime.CompilerServices;

namespace HeadCluster.Kernels;

/// <summary>
/// Packs a matrix rectangle by rectangle, in any order, so that what is read from a file need never be in memory whole beside what it
/// is packed to. For one thread.
/// </summary>
public sealed class PackedMatrixBuilder
{
    private readonly PackedMatrix _matrix;
    private long _placed;

    /// <summary>Allocates the memory that the packed matrix takes.</summary>
    /// <param name="inputs">Rows of W.</param>
    /// <param name="outputs">Columns of W.</param>
    /// <param name="format">How to store W.</param>
    public PackedMatrixBuilder(int inputs, int outputs, WeightFormat format)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputs);
        _matrix = new PackedMatrix(inputs, outputs, format);
    }

    /// <summary>Packs a rectangle of W.</summary>
    /// <param name="firstInput">Its first row.</param>
    /// <param name="firstOutput">Its first column.</param>
    /// <param name="outputs">How many columns.</param>
    /// <param name="weights"><c>[rows, outputs]</c>, row-major.</param>
    /// <exception cref="ArgumentException">It is not within the matrix, or a weight is not one of the format.</exception>
    public void Place(int firstInput, int firstOutput, int outputs, ReadOnlySpan<float> weights)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputs);
        ArgumentOutOfRangeException.ThrowIfNegative(firstInput);
        ArgumentOutOfRangeException.ThrowIfNegative(firstOutput);
        var (inputs, rest) = Math.DivRem(weights.Length, outputs);
        if (rest != 0 || firstInput > _matrix.Inputs - inputs || firstOutput > _matrix.Outputs - outputs)
        {
            throw new ArgumentException(
                $"{weights.Length} weights of {outputs} outputs from input {firstInput}, output {firstOutput} on do not fit [{_matrix.Inputs}, {_matrix.Outputs}]");
        }

        switch (_matrix.Format)
        {
            case WeightFormat.BFloat16: Place<BFloat16Weights, ushort>(firstInput, inputs, firstOutput, outputs, weights); break;
            case WeightFormat.Float16: Place<Float16Weights, ushort>(firstInput, inputs, firstOutput, outputs, weights); break;
            default: Place<Float32Weights, float>(firstInput, inputs, firstOutput, outputs, weights); break;
        }

        _matrix.IsFinite = _matrix.IsFinite && NonFinite.IndexOf(weights) < 0;
        _placed += weights.Length;
    }

    /// <summary>Sets biases; those that are not set are zero.</summary>
    /// <param name="firstOutput">The output that the first of them belongs to.</param>
    /// <param name="bias">One for each of some outputs.</param>
    /// <exception cref="ArgumentException">There are no such outputs.</exception>
    public void PlaceBias(int firstOutput, ReadOnlySpan<float> bias) => bias.CopyTo(_matrix.Biases[firstOutput..]);

    /// <summary>The matrix, which is immutable from here on: nothing may be placed after it.</summary>
    /// <exception cref="InvalidOperationException">Not every weight was placed once.</exception>
    public PackedMatrix Build()
    {
        if (_placed != (long)_matrix.Inputs * _matrix.Outputs)
        {
            throw new InvalidOperationException($"{_placed} weights were placed; expected each of [{_matrix.Inputs}, {_matrix.Outputs}] once");
        }

        _ = _matrix.Format == WeightFormat.Float32 ? LargePages.Use(_matrix.Stored<float>()) : LargePages.Use(_matrix.Stored<ushort>());
        return _matrix;
    }

    // Columns go to the panels in runs: as many as share a panel, for every input.
    [MethodImpl(Compile.Alone)]
    private void Place<TFormat, TStored>(int firstInput, int inputs, int firstOutput, int outputs, ReadOnlySpan<float> weights)
        where TFormat : struct, IPackedFormat<TStored>
        where TStored : unmanaged
    {
        var panels = _matrix.Stored<TStored>();
        for (var column = 0; column < outputs;)
        {
            var (panel, lane) = Math.DivRem(firstOutput + column, PanelKernel.PanelColumns);
            var width = _matrix.PanelWidth(panel);
            var run = Math.Min(width - lane, outputs - column);
            var first = (panel * _matrix.Inputs * PanelKernel.PanelColumns) + (firstInput * width) + lane;
            for (var input = 0; input < inputs; input++)
            {
                var from = weights.Slice((input * outputs) + column, run);
                var to = panels.AsSpan(first + (input * width), run);
                for (var i = 0; i < run; i++)
                {
                    if (!TFormat.TryStore(from[i], out to[i]))
                    {
                        throw new ArgumentException(
                            $"weight {from[i]:R} of input {firstInput + input}, output {firstOutput + column + i} is not a {_matrix.Format}");
                    }
                }
            }

            column += run;
        }
    }
}
