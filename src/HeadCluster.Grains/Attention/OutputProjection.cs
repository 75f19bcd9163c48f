using System.Buffers;
using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>y = Concat(z_1 … z_h) W_O + b_O.</summary>
internal static class OutputProjection
{
    /// <summary>Computes some rows of y.</summary>
    /// <param name="heads">z of each head, <c>[rows, QueryHeads · ValueDim]</c>.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="weights">W_O and b_O.</param>
    /// <param name="y"><c>[rows, weights.Outputs]</c>; only the chosen rows are written.</param>
    /// <param name="cancellationToken">Checked between tiles of rows.</param>
    public static void Apply(HeadResult[] heads, int first, int count, PackedMatrix weights, float[] y, CancellationToken cancellationToken)
    {
        var concatenated = ArrayPool<float>.Shared.Rent(count * weights.Inputs);
        try
        {
            var column = 0;
            foreach (var head in heads)
            {
                for (var row = 0; row < count; row++)
                {
                    head.Output.Row(first + row).CopyTo(concatenated.AsSpan((row * weights.Inputs) + column));
                }

                column += head.Output.Columns;
            }

            LinearKernel.Apply(concatenated, count, weights, y.AsSpan(first * weights.Outputs), cancellationToken);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(concatenated);
        }
    }
}
