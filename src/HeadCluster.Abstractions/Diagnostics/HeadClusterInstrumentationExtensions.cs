using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HeadCluster.Diagnostics;

/// <summary>Adds HeadCluster's spans and metrics to a program's own telemetry: that of a silo's host or of a client's.</summary>
public static class HeadClusterInstrumentationExtensions
{
    /// <summary>
    /// Collects HeadCluster's spans. In a client's program it also has requests carry the program's current span, so that the
    /// silos' spans lie below it. Whether a request is sampled is decided once, where its trace begins.
    /// </summary>
    /// <param name="builder">The program's tracing.</param>
    /// <param name="grainCalls">
    /// Whether to collect Orleans' own spans too, two for each grain call, between HeadCluster's. Default: false.
    /// </param>
    public static TracerProviderBuilder AddHeadClusterInstrumentation(this TracerProviderBuilder builder, bool grainCalls = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddSource(HeadClusterTelemetry.ActivitySourceName);
        return grainCalls ? builder.AddSource(HeadClusterTelemetry.GrainCallSourceName) : builder;
    }

    /// <summary>Collects HeadCluster's metrics, which silos measure.</summary>
    /// <param name="builder">The program's metrics.</param>
    public static MeterProviderBuilder AddHeadClusterInstrumentation(this MeterProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddMeter(HeadClusterTelemetry.MeterName);
    }
}
