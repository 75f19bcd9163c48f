using HeadCluster.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace HeadCluster.Silo.Diagnostics;

/// <summary>
/// Sends the process's spans and metrics to the console, to an OpenTelemetry collector, or to both, until disposed. One a process,
/// however many silos it hosts.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    private const string ServiceName = "headcluster";

    // The standard variables; the exporters read them and their like themselves.
    private const string Collector = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string SpanCollector = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    private const string MetricCollector = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

    private readonly TracerProvider? _spans;
    private readonly MeterProvider? _metrics;

    private TelemetryExport(TracerProvider? spans, MeterProvider? metrics)
    {
        _spans = spans;
        _metrics = metrics;
    }

    /// <summary>Starts to export what is asked for and what the environment names a collector of; null if that is nothing.</summary>
    /// <param name="printSpans">Whether spans go to the console.</param>
    /// <param name="printMetrics">Whether metrics go to the console.</param>
    /// <param name="grainCalls">Whether Orleans' spans of grain calls go with HeadCluster's.</param>
    public static TelemetryExport? Start(bool printSpans, bool printMetrics, bool grainCalls)
    {
        var spans = StartSpans(printSpans, IsSet(Collector) || IsSet(SpanCollector), grainCalls);
        var metrics = StartMetrics(printMetrics, IsSet(Collector) || IsSet(MetricCollector));
        return spans is null && metrics is null ? null : new TelemetryExport(spans, metrics);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _spans?.Dispose();
        _metrics?.Dispose();
    }

    private static TracerProvider? StartSpans(bool print, bool send, bool grainCalls)
    {
        if (!print && !send)
        {
            return null;
        }

        // How much is sampled is the environment's to say, by OTEL_TRACES_SAMPLER.
        var builder = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(Service()).AddHeadClusterInstrumentation(grainCalls);
        builder = print ? builder.AddConsoleExporter() : builder;
        return (send ? builder.AddOtlpExporter() : builder).Build();
    }

    private static MeterProvider? StartMetrics(bool print, bool send)
    {
        if (!print && !send)
        {
            return null;
        }

        var builder = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(Service()).AddHeadClusterInstrumentation();
        builder = print ? builder.AddConsoleExporter() : builder;
        return (send ? builder.AddOtlpExporter() : builder).Build();
    }

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };

    // Processes of one service are told apart by the id that each makes for itself.
    // The environment comes last: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word.
    private static ResourceBuilder Service() => ResourceBuilder.CreateEmpty()
        .AddTelemetrySdk()
        .AddService(ServiceName)
        .AddEnvironmentVariableDetector();
}
