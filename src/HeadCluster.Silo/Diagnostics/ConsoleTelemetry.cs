using System.CommandLine;
using HeadCluster.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace HeadCluster.Silo.Diagnostics;

/// <summary>Prints the process's spans and metrics on the console until disposed. One a process, however many silos it hosts.</summary>
internal sealed class ConsoleTelemetry : IDisposable
{
    private const string ServiceName = "headcluster";
    private const string OrleansCalls = "Microsoft.Orleans.Application";

    private readonly TracerProvider _spans = Sdk.CreateTracerProviderBuilder()
        .SetResourceBuilder(Service())
        .AddSource(HeadClusterTelemetry.ActivitySourceName, OrleansCalls)
        .AddConsoleExporter()
        .Build();

    private readonly MeterProvider _metrics = Sdk.CreateMeterProviderBuilder()
        .SetResourceBuilder(Service())
        .AddMeter(HeadClusterTelemetry.MeterName)
        .AddConsoleExporter()
        .Build();

    private ConsoleTelemetry()
    {
    }

    /// <summary>The option that turns it on.</summary>
    public static Option<string?> CreateOption()
    {
        var option = new Option<string?>("--trace") { Description = "Print spans and metrics: console.", HelpName = "console" };
        return option.AcceptOnlyFromAmong("console");
    }

    /// <summary>Starts to print if the option asks for it.</summary>
    public static ConsoleTelemetry? Start(string? trace) => trace is null ? null : new ConsoleTelemetry();

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
