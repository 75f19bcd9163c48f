using HeadCluster.Cli.Clusters;
using HeadCluster.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HeadCluster.Cli.Bench.Telemetry;

/// <summary>
/// What telemetry costs: one layer on one silo of this process, with some telemetry on and with none, in turn, A B B A, so that
/// whatever slows the machine down slows both. Ratios are taken pair by pair. What is collected is thrown away: sending it is the
/// exporter's cost, on threads of its own.
/// </summary>
internal sealed class TelemetryBenchmark : IAsyncDisposable
{
    // So many that the runtime compiles them for good.
    private const int WarmUpCalls = 150;

    // Before each sample: what has just been started sets itself up when it is first used.
    private const int FirstCalls = 3;

    private readonly EmbeddedCluster _cluster;
    private readonly BenchShape _shape;
    private readonly FloatTensor _input;
    private readonly TimeProvider _time = TimeProvider.System;

    private TelemetryBenchmark(EmbeddedCluster cluster, BenchShape shape)
    {
        _cluster = cluster;
        _shape = shape;
        _input = BenchInput.Of(shape);
    }

    /// <summary>The kinds of telemetry that are measured.</summary>
    public static IReadOnlyList<(string Name, Func<IDisposable> Start)> Kinds { get; } =
    [
        ("nothing (the noise)", () => Nothing.Instance),
        ("metrics", StartMetrics),
        ("spans, 1 % sampled", () => StartSpans(0.01)),
        ("spans, all", () => StartSpans(1)),
    ];

    /// <summary>Starts a silo and has it compile what it runs.</summary>
    public static async Task<TelemetryBenchmark> StartAsync(BenchShape shape, CancellationToken cancellationToken)
    {
        var cluster = await EmbeddedCluster.StartAsync("headcluster-bench-telemetry", ["bench"], [], cancellationToken);
        var benchmark = new TelemetryBenchmark(cluster, shape);
        try
        {
            foreach (var (_, start) in Kinds)
            {
                using var telemetry = start();
                await benchmark.RunAsync(WarmUpCalls, cancellationToken);
            }

            return benchmark;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Measures one kind of telemetry against none.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="start">Starts it; disposing the result ends it.</param>
    /// <param name="pairs">Samples of each of the two.</param>
    /// <param name="calls">Calls of one sample.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<TelemetryResult> MeasureAsync(
        string name, Func<IDisposable> start, int pairs, int calls, CancellationToken cancellationToken)
    {
        var (with, without) = (new Sample[pairs], new Sample[pairs]);
        for (var pair = 0; pair < pairs; pair++)
        {
            if (pair % 2 == 0)
            {
                with[pair] = await RunWithAsync();
                without[pair] = await RunAsync(calls, cancellationToken);
            }
            else
            {
                without[pair] = await RunAsync(calls, cancellationToken);
                with[pair] = await RunWithAsync();
            }
        }

        var both = with.Zip(without).ToArray();
        return new TelemetryResult(
            name,
            Medians.Of(with.Select(sample => sample.Seconds)) * 1e3,
            Medians.Of(without.Select(sample => sample.Seconds)) * 1e3,
            Medians.Of(both.Select(pair => pair.First.Seconds / pair.Second.Seconds)),
            Medians.Of(both.Select(pair => pair.First.ProcessorSeconds / pair.Second.ProcessorSeconds)),
            Medians.Of(both.Select(pair => pair.First.Bytes - pair.Second.Bytes)));

        async Task<Sample> RunWithAsync()
        {
            using var telemetry = start();
            return await RunAsync(calls, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private async Task<Sample> RunAsync(int calls, CancellationToken cancellationToken)
    {
        for (var call = 0; call < FirstCalls; call++)
        {
            await CallAsync(cancellationToken);
        }

        // What starting telemetry left behind is not what using it costs.
        GC.Collect();
        var times = new double[calls];
        var allocated = GC.GetTotalAllocatedBytes();
        var processor = Environment.CpuUsage.TotalTime;
        for (var call = 0; call < calls; call++)
        {
            var began = _time.GetTimestamp();
            await CallAsync(cancellationToken);
            times[call] = _time.GetElapsedTime(began).TotalSeconds;
        }

        return new Sample(
            Medians.Of(times),
            (Environment.CpuUsage.TotalTime - processor).TotalSeconds / calls,
            (GC.GetTotalAllocatedBytes() - allocated) / (double)calls);
    }

    private async Task CallAsync(CancellationToken cancellationToken)
    {
        var result = await _cluster.Client.AttendAsync(_shape.Model, 0, _input, cancellationToken);
        result.Output.Release();
    }

    private static MeterProvider StartMetrics() => Sdk.CreateMeterProviderBuilder()
        .AddHeadClusterInstrumentation()
        .AddReader(new PeriodicExportingMetricReader(new Discarded<Metric>(), exportIntervalMilliseconds: 1000))
        .Build();

    private static TracerProvider StartSpans(double share) => Sdk.CreateTracerProviderBuilder()
        .AddHeadClusterInstrumentation()
        .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(share)))
        .AddProcessor(new BatchActivityExportProcessor(new Discarded<System.Diagnostics.Activity>()))
        .Build();

    /// <summary>What a call takes.</summary>
    /// <param name="Seconds">Median time.</param>
    /// <param name="ProcessorSeconds">Mean time of all threads on processors.</param>
    /// <param name="Bytes">Mean of what all threads allocate.</param>
    private readonly record struct Sample(double Seconds, double ProcessorSeconds, double Bytes);

    private sealed class Discarded<T> : BaseExporter<T>
        where T : class
    {
        public override ExportResult Export(in Batch<T> batch) => ExportResult.Success;
    }

    private sealed class Nothing : IDisposable
    {
        public static Nothing Instance { get; } = new();

        public void Dispose()
        {
        }
    }
}
