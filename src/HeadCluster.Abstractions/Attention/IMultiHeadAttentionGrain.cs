namespace HeadCluster;

/// <summary>
/// The coordinator of one attention layer: fans the input out to the heads, gathers them, concatenates them and applies W_O.
/// Its key is a <see cref="LayerId"/>.
/// </summary>
[Alias("hc.IMultiHeadAttentionGrain")]
public interface IMultiHeadAttentionGrain : IWeightGrain
{
    /// <summary>Computes Concat(head_1 … head_h) W_O + b_O.</summary>
    /// <exception cref="HeadClusterException">The input's shape or a value is not one this layer takes, or its weights could not be loaded.</exception>
    [Alias("AttendAsync"), ResponseTimeout("00:10:00")]
    Task<AttentionResult> AttendAsync(AttentionRequest request, CancellationToken cancellationToken = default);

    /// <summary>Calls every head at once and has none compute: what the calls of a request cost by themselves.</summary>
    /// <exception cref="HeadClusterException">There is no such layer, or its weights could not be loaded.</exception>
    [Alias("PingHeadsAsync"), ResponseTimeout("00:10:00")]
    Task PingHeadsAsync(CancellationToken cancellationToken = default);
}
