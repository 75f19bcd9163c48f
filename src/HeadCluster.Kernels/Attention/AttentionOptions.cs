namespace HeadCluster.Kernels;

/// <summary>What turns the products of queries and keys into scores.</summary>
/// <param name="Scale">Factor of each product; 1/√HeadDim in Vaswani et al. 2017 (arXiv:1706.03762), equation 1.</param>
/// <param name="Causal">Whether a query at position p sees only the keys at positions ≤ p.</param>
/// <param name="Softcap">c > 0 bounds a scaled score s to c·tanh(s / c), before any mask; 0 leaves it as it is.</param>
public readonly record struct AttentionOptions(float Scale, bool Causal = false, float Softcap = 0)
{
    /// <summary>The usual scale for queries of <paramref name="headDim"/> elements, 1/√headDim.</summary>
    public static float DefaultScale(int headDim) => 1f / MathF.Sqrt(headDim);
}
