using Orleans.Concurrency;

namespace HeadCluster;

/// <summary>
/// One head of one layer: it owns its projection weights and computes its head where it is. Its key is a <see cref="HeadId"/>.
/// </summary>
[Alias("hc.IAttentionHeadGrain")]
public interface IAttentionHeadGrain : IWeightGrain
{
    /// <summary>Computes softmax(x W_Q (x W_K)ᵀ · scale) x W_V for every query head of this head.</summary>
    /// <exception cref="HeadClusterException">The input's shape or a value is not one this head takes, or its weights could not be loaded.</exception>
    [Alias("AttendAsync"), ResponseTimeout("00:10:00")]
    Task<HeadResult> AttendAsync(HeadRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells on which silo the head is, after activating it if it was not active.</summary>
    /// <exception cref="HeadClusterException">There is no such head, or its weights could not be loaded.</exception>
    [Alias("LocateAsync"), ResponseTimeout("00:10:00"), AlwaysInterleave]
    Task<SiloAddress> LocateAsync(CancellationToken cancellationToken = default);

    /// <summary>What this head has done since it was activated here.</summary>
    [Alias("GetStatisticsAsync"), AlwaysInterleave]
    Task<HeadStatistics> GetStatisticsAsync(CancellationToken cancellationToken = default);
}
