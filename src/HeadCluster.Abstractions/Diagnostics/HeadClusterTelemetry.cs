namespace HeadCluster.Diagnostics;

/// <summary>The names under which HeadCluster's telemetry is found.</summary>
public static class HeadClusterTelemetry
{
    /// <summary>Name of the activity source: spans <c>attention</c>, <c>head</c> and <c>output_projection</c>.</summary>
    public const string ActivitySourceName = "HeadCluster";

    /// <summary>Name of the meter.</summary>
    public const string MeterName = "HeadCluster";
}
