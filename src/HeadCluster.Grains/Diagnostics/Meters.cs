using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>HeadCluster's meter, and histograms of durations: from ten microseconds to ten seconds, three buckets a decade.</summary>
internal static class Meters
{
    private static readonly InstrumentAdvice<double> Buckets = new()
    {
        HistogramBucketBoundaries =
        [
            1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10,
        ],
    };

    /// <summary>The meter of a silo; the same for all who ask.</summary>
    public static Meter HeadClusterMeter(this IMeterFactory meters) => meters.Create(HeadClusterTelemetry.MeterName);

    public static Histogram<double> CreateSeconds(this Meter meter, string name, string description) =>
        meter.CreateHistogram(name, "s", description, tags: null, Buckets);
}
