using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// The weights of y = x W + b, packed once for the kernel that will read them many times: panels of 16 output columns, each
/// panel input by input, so that one load brings the 16 weights that one input has for the panel.
/// </summary>
/// <remarks>Layout: <c>panels[ceil(Outputs / 16)][Inputs][16]</c>, zero beyond the last column. Immutable once built.</remarks>
public sealed class PackedMatrix
{
    private readonly float[] _panels;
    private readonly float[] _bias;

    private PackedMatrix(int inputs, int outputs)
    {
        Inputs = inputs;
        Outputs = outputs;
        _panels = new float[checked(Lanes.RoundUp(outputs) * inputs)];
        _bias = new float[Lanes.RoundUp(outputs)];
    }

    /// <summary>Length of the summed axis: columns of x.</summary>
    public int Inputs { get; }

    /// <summary>Columns of y.</summary>
    public int Outputs { get; }

    /// <summary>Memory that weights and bias take, in bytes.</summary>
    public long Bytes => SizeOf(Inputs, Outputs);

    /// <summary>Memory that the weights and bias of a matrix take once packed, in bytes.</summary>
    public static long SizeOf(int inputs, int outputs) => sizeof(float) * (long)Lanes.RoundUp(outputs) * (inputs + 1L);

    /// <summary>Weights of one panel, <c>[Inputs, 16]</c>.</summary>
    internal ReadOnlySpan<float> Panel(int panel) => _panels.AsSpan(panel * Inputs * Lanes.Count, Inputs * Lanes.Count);

    /// <summary>Bias of one panel's 16 columns.</summary>
    internal Vector512<float> Bias(int panel) => Vector512.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(_bias), (nuint)(panel * Lanes.Count));

    /// <summary>Packs several matrices with the same inputs side by side, as if their columns were one matrix.</summary>
    /// <param name="inputs">Rows of every matrix.</param>
    /// <param name="parts">For each matrix its weights <c>[inputs, outputs]</c>, row-major, and its bias <c>[outputs]</c> or nothing.</param>
    /// <exception cref="ArgumentException">A part's lengths do not fit its shape.</exception>
    public static PackedMatrix Pack(int inputs, params ReadOnlySpan<LinearPart> parts)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        var outputs = 0;
        foreach (var part in parts)
        {
            part.Validate(inputs);
            outputs = checked(outputs + part.Outputs);
        }

        var packed = new PackedMatrix(inputs, outputs);
        var firstColumn = 0;
        foreach (var part in parts)
        {
            packed.Place(part, firstColumn);
            firstColumn += part.Outputs;
        }

        return packed;
    }

    private void Place(LinearPart part, int firstColumn)
    {
        part.Bias.Span.CopyTo(_bias.AsSpan(firstColumn));
        var weights = part.Weights.Span;
        for (var input = 0; input < Inputs; input++)
        {
            var row = weights.Slice(input * part.Outputs, part.Outputs);
            for (var output = 0; output < row.Length; output++)
            {
                var (panel, lane) = Math.DivRem(firstColumn + output, Lanes.Count);
                _panels[(((panel * Inputs) + input) * Lanes.Count) + lane] = row[output];
            }
        }
    }
}

/// <summary>One matrix to pack: y = x W + b.</summary>
/// <param name="Outputs">Columns of W.</param>
/// <param name="Weights">W, <c>[inputs, Outputs]</c>, row-major.</param>
/// <param name="Bias">b, <c>[Outputs]</c>, or empty for none.</param>
public readonly record struct LinearPart(int Outputs, ReadOnlyMemory<float> Weights, ReadOnlyMemory<float> Bias = default)
{
    internal void Validate(int inputs)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Outputs);
        if (Weights.Length != (long)inputs * Outputs)
        {
            throw new ArgumentException($"{Weights.Length} weights do not fill [{inputs}, {Outputs}]");
        }

        if (Bias.Length != 0 && Bias.Length != Outputs)
        {
            throw new ArgumentException($"{Bias.Length} biases for {Outputs} outputs");
        }
    }
}
