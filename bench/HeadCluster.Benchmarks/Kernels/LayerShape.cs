namespace HeadCluster.Benchmarks.Kernels;

/// <summary>One attention layer whose heads together are as wide as the model.</summary>
/// <param name="ModelDim">Width.</param>
/// <param name="Heads">Heads of ModelDim ÷ Heads each.</param>
/// <param name="Causal">Whether a position sees only those up to it.</param>
internal sealed record LayerShape(int ModelDim, int Heads, bool Causal = false)
{
    /// <summary>Floating-point operations that a layer without a mask takes: 8 T d² + 4 T² d.</summary>
    public double Operations(int rows) => (8.0 * rows * ModelDim * ModelDim) + (4.0 * rows * rows * ModelDim);
}
