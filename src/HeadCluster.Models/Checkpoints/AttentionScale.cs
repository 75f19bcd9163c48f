namespace HeadCluster.Models;

/// <summary>The factor of scores where a model states none.</summary>
internal static class AttentionScale
{
    /// <summary>1/√HeadDim; division and square root are rounded the same way on every CPU.</summary>
    public static float Of(int headDim) => 1 / MathF.Sqrt(headDim);
}
