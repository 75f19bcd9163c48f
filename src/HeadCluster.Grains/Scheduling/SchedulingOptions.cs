namespace HeadCluster.Scheduling;

/// <summary>Where heads are put, and when they move; section <c>HeadCluster:Scheduling</c>.</summary>
public sealed class SchedulingOptions
{
    /// <summary>
    /// Whether heads move by themselves, when that promises a tenth of a request's time or a silo leaves. If not, they stay where
    /// they were first put, spread evenly, until a plan is applied. Default: true.
    /// </summary>
    public bool Automatic { get; set; } = true;

    /// <summary>
    /// The strategy that plans are made with unless a request names another: <c>Measured</c>, <c>Capacity</c>, <c>Even</c>,
    /// <c>Pinned</c>, or one that was registered as an <see cref="IPlanStrategy"/>. Default: <c>Measured</c>.
    /// </summary>
    public string Strategy { get; set; } = PlanStrategies.Measured;

    /// <summary>The file of the strategy <c>Pinned</c>, relative to the host's content root. Default: none.</summary>
    public string? PinnedFile { get; set; }

    /// <summary>How often silos are measured and plans made, from 100 milliseconds to one hour. Default: 2 seconds.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromSeconds(2);
}
