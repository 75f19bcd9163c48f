using System.Collections.Concurrent;
using System.Diagnostics;
using HeadCluster.Diagnostics;
using HeadCluster.Grains;
using HeadCluster.Kernels;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Diagnostics;

/// <summary>What telemetry costs that nobody asked for. Alone, since a listener of another test would ask.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SamplingTests
{
    private const string Name = "sampling";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_that_is_not_sampled_is_decided_on_once_and_makes_no_span_below_the_first()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        await cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 2, 1, 0 }, steps: 1, Stop).CountAsync(Stop);
        using var sampler = new Sampler();

        await cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 2, 1, 0 }, steps: 4, Stop).CountAsync(Stop);

        // The first is an object that nobody records: that is how OpenTelemetry keeps the decision.
        Assert.Equal(["generate"], sampler.Asked);
        Assert.Equal(["generate"], sampler.Made);

        await cluster.Client.AttendAsync(NanoGpt.Name, 0, Matrices.Random(5, 48), Stop);
        Assert.Equal(["generate", "attention"], sampler.Asked);
        Assert.Equal(["generate", "attention"], sampler.Made);
    }

    [Fact]
    public async Task A_program_that_does_not_sample_its_request_has_no_span_made_for_it()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        await cluster.Client.LogitsAsync(NanoGpt.Name, new[] { 2, 1, 0 }, Stop);
        using var sampler = new Sampler();
        using (new Activity("a page").Start())
        {
            await cluster.Client.LogitsAsync(NanoGpt.Name, new[] { 2, 1, 0 }, Stop);
            await cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 2, 1, 0 }, steps: 3, Stop).CountAsync(Stop);
        }

        Assert.Empty(sampler.Asked);
    }

    [Fact]
    public async Task A_listener_that_wants_all_data_of_spans_without_recording_them_gets_all_spans()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var sampler = new Sampler(ActivitySamplingResult.AllData);

        await cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 2, 1, 0 }, steps: 1, Stop).CountAsync(Stop);

        Assert.Equal(9, sampler.Made.Count(name => name == "head"));
    }

    [Fact]
    public void Telemetry_that_nobody_listens_to_allocates_nothing()
    {
        var (here, there) = (Instruments.Silo(3), Instruments.Silo(4));
        using var instruments = new Instruments(here);
        var layer = instruments.Layers.Of(new LayerId("m", 0));
        var head = instruments.Heads.Of(new HeadId("m", 0, 0));
        var timings = new RecentTimings(TimeProvider.System.GetUtcNow());
        var computation = Computed();
        var result = new AttentionResult(Matrices.Random(1, 1), [], [new SiloReport(there, 1, default, default, 100)]);

        Request();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Request();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Request()
        {
            RequestTrace.CarryCurrent();
            using var forward = instruments.Models.StartForward("m", 11);
            using var generation = instruments.Models.StartGeneration("m", 11);
            using var token = generation.StartToken(11);
            using var block = ModelInstruments.StartLayer("m", 0);
            using var attention = layer.Start(11);
            using (var measured = head.Start(11))
            {
                timings.Add(computation);
                measured.Complete(computation);
            }

            using (var projection = new SpanScope(Spans.StartLeaf("output_projection")))
            {
                _ = projection.WatchAsync(Task.CompletedTask);
            }

            attention.Complete(result);
            instruments.Layers.Retried(new LayerId("m", 0));
            instruments.Heads.Moved(new HeadId("m", 0, 0), here, there);
            generation.RecordToken(TimeSpan.FromSeconds(1));
        }
    }

    private static HeadComputation Computed()
    {
        var x = Matrices.Random(11, 48);
        var input = new LayerInput(new ArrivingRows(x), [11], Patterns: null, Sequence: null, Turn: 0);
        var computation = new HeadComputation(NanoGpt.Open().PackHead(0, 0), place: 0, input, cache: null, HeadMatrix.Rent(11, 1, 16).At(0), patterns: null, TimeProvider.System);
        using var pool = new ComputePool(1);
        computation.RunAsync(pool, CancellationToken.None).GetAwaiter().GetResult();
        return computation;
    }

    /// <summary>Decides of requests as it is told; if that is none, as OpenTelemetry's parent-based sampler does.</summary>
    private sealed class Sampler : IDisposable
    {
        private readonly ActivityListener _listener;

        public Sampler(ActivitySamplingResult requests = ActivitySamplingResult.None)
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == HeadClusterTelemetry.ActivitySourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                {
                    Asked.Enqueue(options.Name);
                    return requests == ActivitySamplingResult.None && (options.Parent == default || options.Parent.IsRemote)
                        ? ActivitySamplingResult.PropagationData
                        : requests;
                },
                ActivityStarted = span => Made.Enqueue(span.OperationName),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentQueue<string> Asked { get; } = new();

        public ConcurrentQueue<string> Made { get; } = new();

        public void Dispose() => _listener.Dispose();
    }
}
