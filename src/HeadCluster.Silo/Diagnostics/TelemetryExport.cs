using System.CommandLine;
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
    private const string OrleansCalls = "Microsoft.Orleans.Application";

    // The standard variable; the exporter reads it and its like itself.
    private const string CollectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly TracerProvider _spans;
    private readonly MeterProvider _metrics;

    private TelemetryExport(bool toConsole, bool toCollector)
    {
        var spans = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(Service())
            .AddSource(HeadClusterTelemetry.ActivitySourceName, OrleansCalls);
        var metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(Service())
            .AddMeter(HeadClusterTelemetry.MeterName);
        if (toConsole)
        {
            spans.AddConsoleExporter();
            metrics.AddConsoleExporter();
        }

        if (toCollector)
        {
            spans.AddOtlpExporter();
            metrics.AddOtlpExporter();
        }

        _spans = spans.Build();
        _metrics = metrics.Build();
    }

    /// <summary>The option that turns the console on.</summary>
    public static Option<string?> CreateOption()
    {
        var option = new Option<string?>("--trace") { Description = "Print spans and metrics: console.", HelpName = "console" };
        return option.AcceptOnlyFromAmong("console");
    }

    /// <summary>Starts to export if the option asks for the console, or the environment names a collector.</summary>
    public static TelemetryExport? Start(string? trace)
    {
        var toCollector = Environment.GetEnvironmentVariable(CollectorVariable) is { Length: > 0 };
        return trace is not null || toCollector ? new TelemetryExport(trace is not null, toCollector) : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _spans.Dispose();
        _metrics.Dispose();
    }

    // The environment comes last: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word.
    private static ResourceBuilder Service() => ResourceBuilder.CreateEmpty()
        .AddTelemetrySdk()
        .AddService(ServiceName, autoGenerateServiceInstanceId: false)
        .AddEnvironmentVariableDetector();
}
