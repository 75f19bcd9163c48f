using System.Runtime.CompilerServices;

namespace HeadCluster.Kernels;

/// <summary>
/// The operands of <see cref="PanelKernel"/>: some rows of x times some columns of W, in vectors of 16, y[r, c] = start[r, c] + Σ_i x[r, i] W[i, c].
/// </summary>
/// <typeparam name="TStored">What a weight is stored as.</typeparam>
internal ref struct PanelTile<TStored>
    where TStored : unmanaged
{
    /// <summary>Row r starts at X + r · XStride and is Inputs long.</summary>
    public ref readonly float X;

    public nuint XStride;

    /// <summary>
    /// Where the x that is needed next starts, counted from X, so that it is asked for meanwhile, as the results are; 0 where all is near anyway,
    /// and nothing asked for.
    /// </summary>
    public nuint NextX;

    /// <summary>Length of the summed axis.</summary>
    public nuint Inputs;

    /// <summary>The weights that input i has for these columns start at Weights + i · InputStride.</summary>
    public ref readonly TStored Weights;

    public nuint InputStride;

    /// <summary>
    /// Where weights start that are needed after these, counted from Weights, so that they are asked for meanwhile; 0 where there are none, or
    /// they are in the second-level cache anyway.
    /// </summary>
    public nuint NextWeights;

    /// <summary>How many of those each input asks for; all tiles of rows together ask for a run of them.</summary>
    public nuint NextWeightsPerInput;

    /// <summary>
    /// What the chains of row r begin with starts at Start + r · StartStride: a bias where the stride is 0, y itself where a sum
    /// goes on. A null reference: they begin with 0.
    /// </summary>
    public ref readonly float Start;

    public nuint StartStride;

    /// <summary>The result of row r starts at Y + r · YStride.</summary>
    public ref float Y;

    public nuint YStride;

    /// <summary>The same for the rows from one on.</summary>
    public readonly PanelTile<TStored> After(int rows)
    {
        var rest = this;
        rest.X = ref Unsafe.Add(ref Unsafe.AsRef(in X), (nuint)rows * XStride);
        rest.Start = ref Unsafe.Add(ref Unsafe.AsRef(in Start), (nuint)rows * StartStride);
        rest.Y = ref Unsafe.Add(ref Y, (nuint)rows * YStride);
        return rest;
    }
}
