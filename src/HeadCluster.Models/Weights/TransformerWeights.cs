namespace HeadCluster.Models;

/// <summary>A layer norm's parameters.</summary>
/// <param name="Scale">γ, <c>[ModelDim]</c>.</param>
/// <param name="Bias">β, <c>[ModelDim]</c>, or null for none.</param>
public sealed record NormWeights(float[] Scale, float[]? Bias);

/// <summary>What a block holds besides its attention.</summary>
/// <param name="AttentionNorm">The norm before the attention.</param>
/// <param name="FeedForwardNorm">The norm before the feed-forward layer.</param>
/// <param name="Up">From ModelDim to FeedForwardDim.</param>
/// <param name="Down">From FeedForwardDim to ModelDim.</param>
public sealed record BlockWeights(NormWeights AttentionNorm, NormWeights FeedForwardNorm, LinearWeights Up, LinearWeights Down);

/// <summary>What a GPT holds besides its blocks.</summary>
/// <param name="TokenEmbedding"><c>[VocabularySize, ModelDim]</c>.</param>
/// <param name="PositionEmbedding"><c>[MaxSequenceLength, ModelDim]</c>.</param>
/// <param name="FinalNorm">The norm before the logits.</param>
/// <param name="Logits">From ModelDim to VocabularySize.</param>
public sealed record TransformerWeights(float[] TokenEmbedding, float[] PositionEmbedding, NormWeights FinalNorm, LinearWeights Logits);
