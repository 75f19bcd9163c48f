using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace HeadCluster.Kernels;

/// <summary>
/// The weights of y = x W + b, packed once for the kernel that will read them many times: panels of 64 output columns, each
/// panel input by input, so that the weights that one input has for the panel lie side by side.
/// </summary>
/// <remarks>
/// Layout: <c>panels[Outputs / 64][Inputs][64]</c>, then the remaining columns, if any, as one narrower panel
/// <c>[Inputs][Outputs mod 64]</c>. The kernel loads whole vectors of 16 there too; weights beyond the panel's columns belong to
/// the next input, and their lanes are dropped. Immutable once built.
/// </remarks>
public sealed class PackedMatrix
{
    // TStored[] of the format.
    private readonly Array _stored;
    private readonly float[] _bias;

    /// <summary>Allocates a matrix of zeros, for <see cref="PackedMatrixBuilder"/> to fill.</summary>
    internal PackedMatrix(int inputs, int outputs, WeightFormat format)
    {
        Inputs = inputs;
        Outputs = outputs;
        Format = format;
        var length = checked((int)Length(inputs, outputs));
        _stored = format == WeightFormat.Float32 ? new float[length] : new ushort[length];
        _bias = new float[Lanes.RoundUp(outputs)];
    }

    /// <summary>Length of the summed axis: columns of x.</summary>
    public int Inputs { get; }

    /// <summary>Columns of y.</summary>
    public int Outputs { get; }

    /// <summary>How the weights are stored; the bias is float32.</summary>
    public WeightFormat Format { get; }

    /// <summary>Memory that weights and bias take, in bytes.</summary>
    public long Bytes => SizeOf(Inputs, Outputs, Format);

    /// <summary>Memory that the weights and bias of a matrix take once packed, in bytes.</summary>
    public static long SizeOf(int inputs, int outputs, WeightFormat format) =>
        (Length(inputs, outputs) * (format == WeightFormat.Float32 ? sizeof(float) : sizeof(ushort))) + (sizeof(float) * (long)Lanes.RoundUp(outputs));

    /// <summary>Whether no weight is infinite or NaN.</summary>
    internal bool IsFinite { get; set; } = true;

    /// <summary>How many panels there are, the last of which may be narrower.</summary>
    internal int Panels => (Outputs + PanelKernel.PanelColumns - 1) / PanelKernel.PanelColumns;

    /// <summary>The first weight of a panel.</summary>
    internal ref readonly TStored Panel<TStored>(int panel)
        where TStored : unmanaged =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Stored<TStored>()), (nint)panel * Inputs * PanelKernel.PanelColumns);

    /// <summary>Columns of a panel: 64, or fewer of the last.</summary>
    internal int PanelWidth(int panel) => Math.Min(PanelKernel.PanelColumns, Outputs - (panel * PanelKernel.PanelColumns));

    /// <summary>All weights, in the panels' layout.</summary>
    internal TStored[] Stored<TStored>()
        where TStored : unmanaged => (TStored[])_stored;

    /// <summary>The biases, <c>[Outputs]</c>.</summary>
    internal Span<float> Biases => _bias.AsSpan(0, Outputs);

    /// <summary>The biases from a column on, zero beyond the last up to a whole vector.</summary>
    internal ref readonly float Bias(int column) => ref _bias[column];

    /// <summary>Packs several matrices with the same inputs side by side, as if their columns were one matrix.</summary>
    /// <param name="inputs">Rows of every matrix.</param>
    /// <param name="parts">For each matrix its weights <c>[inputs, outputs]</c>, row-major, and its bias <c>[outputs]</c> or nothing.</param>
    /// <remarks>Stored in the parts' common format, or else as float32, which holds them all.</remarks>
    /// <exception cref="ArgumentException">A part's lengths do not fit its shape, or a weight is not one of its format.</exception>
    public static PackedMatrix Pack(int inputs, params ReadOnlySpan<LinearPart> parts)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        var outputs = 0;
        foreach (var part in parts)
        {
            part.Validate(inputs);
            outputs = checked(outputs + part.Outputs);
        }

        var builder = new PackedMatrixBuilder(inputs, outputs, CommonFormat(parts));
        var firstOutput = 0;
        foreach (var part in parts)
        {
            builder.Place(firstInput: 0, firstOutput, part.Outputs, part.Weights.Span);
            builder.PlaceBias(firstOutput, part.Bias.Span);
            firstOutput += part.Outputs;
        }

        return builder.Build();
    }

    // One vector more than the weights: the last input of a narrow panel is loaded with 16 lanes too.
    private static long Length(int inputs, int outputs) => ((long)inputs * outputs) + Lanes.Count;

    private static WeightFormat CommonFormat(ReadOnlySpan<LinearPart> parts)
    {
        foreach (var part in parts)
        {
            if (part.Format != parts[0].Format)
            {
                return WeightFormat.Float32;
            }
        }

        return parts.IsEmpty ? WeightFormat.Float32 : parts[0].Format;
    }
}

/// <summary>One matrix to pack: y = x W + b.</summary>
/// <param name="Outputs">Columns of W.</param>
/// <param name="Weights">W, <c>[inputs, Outputs]</c>, row-major.</param>
/// <param name="Bias">b, <c>[Outputs]</c>, or empty for none.</param>
/// <param name="Format">How to store W, which holds only values of this format.</param>
public readonly record struct LinearPart(
    int Outputs, ReadOnlyMemory<float> Weights, ReadOnlyMemory<float> Bias = default, WeightFormat Format = WeightFormat.Float32)
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
