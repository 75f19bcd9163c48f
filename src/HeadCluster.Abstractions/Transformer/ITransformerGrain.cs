namespace HeadCluster;

/// <summary>A whole GPT: embeddings, blocks of attention and feed-forward, logits. Its key is the model's name.</summary>
[Alias("hc.ITransformerGrain")]
public interface ITransformerGrain : IWeightGrain
{
    /// <summary>Computes the logits of every position of one or more sequences.</summary>
    /// <exception cref="HeadClusterException">A token or length is out of range, or the model could not be loaded.</exception>
    [Alias("ForwardAsync"), ResponseTimeout("00:10:00")]
    Task<ForwardResult> ForwardAsync(ForwardRequest request, CancellationToken cancellationToken = default);

    /// <summary>Continues a sequence by the most likely token, step by step.</summary>
    /// <exception cref="HeadClusterException">A token or length is out of range, or the model could not be loaded.</exception>
    [Alias("GenerateAsync"), ResponseTimeout("00:10:00")]
    IAsyncEnumerable<GeneratedToken> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default);
}
