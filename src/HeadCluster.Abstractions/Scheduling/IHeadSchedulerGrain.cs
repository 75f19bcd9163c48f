namespace HeadCluster;

/// <summary>Decides where the heads of one model belong, and moves them there while they serve. Its key is the model's name.</summary>
[Alias("hc.IHeadSchedulerGrain")]
public interface IHeadSchedulerGrain : IGrainWithStringKey
{
    /// <summary>Makes a plan and compares it with where the heads are now; nothing moves.</summary>
    /// <exception cref="HeadClusterException">
    /// There is no such model or strategy, the silos have not the memory, or a silo does not answer.
    /// </exception>
    [Alias("PreviewAsync"), ResponseTimeout("00:01:00")]
    Task<PlanPreview> PreviewAsync(PlanRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a plan and carries it out, head by head; each serves until it is loaded where it goes. What has moved stays there if the
    /// caller stops reading.
    /// </summary>
    /// <exception cref="HeadClusterException">As of <see cref="PreviewAsync"/>; or a head could not be moved, once all others were.</exception>
    [Alias("ApplyAsync"), ResponseTimeout("00:10:00")]
    IAsyncEnumerable<MoveReport> ApplyAsync(PlanRequest request, CancellationToken cancellationToken = default);

    /// <summary>Moves one head, or activates it there.</summary>
    /// <exception cref="HeadClusterException">There is no such head or silo, or it has not the memory.</exception>
    [Alias("MoveAsync"), ResponseTimeout("00:10:00")]
    Task<MoveReport> MoveAsync(HeadId head, SiloAddress silo, CancellationToken cancellationToken = default);

    /// <summary>Moves everything of the model away from a silo, which gets nothing more of it until it is started anew.</summary>
    /// <exception cref="HeadClusterException">No other silo has the memory, or a silo does not answer.</exception>
    [Alias("DrainAsync"), ResponseTimeout("00:10:00")]
    IAsyncEnumerable<MoveReport> DrainAsync(SiloAddress silo, CancellationToken cancellationToken = default);

    /// <summary>Looks at the silos and moves heads if that is worth it. Every silo with something of the model calls it from time to time.</summary>
    [Alias("TickAsync"), ResponseTimeout("00:10:00")]
    Task TickAsync(CancellationToken cancellationToken = default);
}
