namespace HeadCluster.Models;

/// <summary>The weights of y = x W + b, whatever way they lay in the file.</summary>
/// <param name="Inputs">Columns of x.</param>
/// <param name="Outputs">Columns of y.</param>
/// <param name="Weights">W, <c>[Inputs, Outputs]</c>, row-major.</param>
/// <param name="Bias">b, <c>[Outputs]</c>, or null for none.</param>
public sealed record LinearWeights(int Inputs, int Outputs, float[] Weights, float[]? Bias);
