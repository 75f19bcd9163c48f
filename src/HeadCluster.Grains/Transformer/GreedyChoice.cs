using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>The most likely token.</summary>
internal static class GreedyChoice
{
    /// <summary>The token of the largest logit, the lowest id among equals.</summary>
    /// <param name="logits">One per token.</param>
    /// <param name="position">Place of the token in its sequence.</param>
    public static GeneratedToken From(ReadOnlySpan<float> logits, int position)
    {
        var token = 0;
        for (var id = 1; id < logits.Length; id++)
        {
            token = logits[id] > logits[token] ? id : token;
        }

        var probabilities = new float[logits.Length];
        SoftmaxKernel.Apply(logits, probabilities);
        return new GeneratedToken(position, token, probabilities[token]);
    }
}
