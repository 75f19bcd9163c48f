namespace HeadCluster.Scheduling;

/// <summary>The names of the strategies that are there.</summary>
public static class PlanStrategies
{
    /// <summary>The least predicted time; see <see cref="MeasuredStrategy"/>.</summary>
    public const string Measured = "Measured";

    /// <summary>As many heads of each layer on every silo; see <see cref="EvenStrategy"/>.</summary>
    public const string Even = "Even";

    /// <summary>Heads by the number of threads; see <see cref="CapacityStrategy"/>.</summary>
    public const string Capacity = "Capacity";

    /// <summary>What a file says; see <see cref="PinnedStrategy"/>.</summary>
    public const string Pinned = "Pinned";
}
