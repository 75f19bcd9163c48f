using HeadCluster.Models;
using HeadCluster.Reference;

namespace HeadCluster.Cli.Demo;

/// <summary>Compares the cluster's logits with the same model in plain loops on one thread.</summary>
internal static class ReferenceComparison
{
    /// <summary>The largest absolute difference of a logit.</summary>
    public static double MaxDifference(string modelPath, IEnumerable<(int[] Tokens, FloatTensor Logits)> passes)
    {
        using var model = ModelLocation.Open(modelPath);
        var reference = new ReferenceTransformer(model);
        var largest = 0.0;
        foreach (var (tokens, logits) in passes)
        {
            var expected = reference.Logits<float>(tokens);
            for (var i = 0; i < expected.Length; i++)
            {
                // A NaN is as wrong as can be, and no comparison would say so.
                var difference = Math.Abs((double)logits.Span[i] - expected[i]);
                largest = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(largest, difference);
            }
        }

        return largest;
    }
}
