using System.Diagnostics;
using HeadCluster.Diagnostics;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Diagnostics;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Every_head_has_a_span_below_its_coordinators_also_on_another_silo()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var collector = cluster.CollectSpans();

        var result = await cluster.Client.AttendAsync(NanoGpt.Name, 1, Matrices.Random(5, 48), TestContext.Current.CancellationToken);

        var attention = Assert.Single(collector.Spans, span => span.OperationName == "attention");
        var heads = collector.Spans.Where(span => span.OperationName == "head").OrderBy(span => (int)span.GetTagItem(HeadClusterTelemetry.HeadTag)!).ToArray();
        Assert.Equal(3, heads.Length);
        Assert.All(heads, head => Assert.True(collector.IsBelow(head, attention)));
        Assert.Equal(2, heads.Select(head => head.GetTagItem(HeadClusterTelemetry.SiloTag)).Distinct().Count());
        Assert.All(heads.Zip(result.Heads), pair => AssertDescribes(pair.First, pair.Second));
        Assert.Equal(attention.SpanId, Assert.Single(collector.Spans, span => span.OperationName == "output_projection").ParentSpanId);
    }

    [Fact]
    public async Task A_request_that_is_refused_leaves_no_head_spans_and_one_that_fails_leaves_an_error()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(
            1, options => options.MemoryLimitBytes = 20_000, TestContext.Current.CancellationToken);
        using var collector = cluster.CollectSpans();

        // W_O finds room, the three heads do not all.
        await Refusal.OfAsync(
            () => cluster.Client.AttendAsync("random:nano", 0, Matrices.Random(5, 48), TestContext.Current.CancellationToken), "bytes");

        Assert.Equal(ActivityStatusCode.Error, Assert.Single(collector.Spans, span => span.OperationName == "attention").Status);
    }

    [Fact]
    public async Task Durations_of_heads_queues_and_layers_are_measured_by_layer_and_silo()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, NanoGpt.Model);
        using var measured = new Measurements<double>(cluster.Silos[0]);

        await cluster.Client.AttendAsync(NanoGpt.Name, 2, Matrices.Random(5, 48), TestContext.Current.CancellationToken);

        Assert.Equal(3, measured.Of("headcluster.head.duration s nano-gpt 2").Count);
        Assert.Equal(3, measured.Of("headcluster.queue.duration s nano-gpt 2").Count);
        Assert.Single(measured.Of("headcluster.attention.duration s nano-gpt 2"));
        Assert.Equal(7, measured.All.Count);
        Assert.All(measured.All, measurement => Assert.True(measurement.Value >= 0));
    }

    [Fact]
    public async Task Bytes_of_heads_are_counted_by_layer_and_silo()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, NanoGpt.Model);
        using var measured = new Measurements<long>(cluster.Silos[0]);

        await cluster.Client.AttendAsync(NanoGpt.Name, 2, Matrices.Random(5, 48), TestContext.Current.CancellationToken);

        Assert.Equal([320L, 320, 320], measured.Of("headcluster.head.bytes By nano-gpt 2"));
        Assert.Equal(3, measured.All.Count);
    }

    [Fact]
    public async Task Failed_requests_of_a_layer_are_counted_and_refused_and_cancelled_ones_are_not()
    {
        // Wide enough for a head to be computed by the pool: what is computed inline cannot be cancelled.
        const string Model = "random:gpt2-small?layers=1&heads=1";
        const string Errors = $"headcluster.attention.errors {{request}} {Model} 0";
        await using var cluster = await HeadClusterTestCluster.StartAsync(1);
        var silo = cluster.Silos[0];
        await AttendAsync(768, TestContext.Current.CancellationToken);
        using var measured = new Measurements<long>(silo);

        cluster.SlowSilo(silo, TimeSpan.FromDays(1));
        using var cancellation = new CancellationTokenSource();
        var cancelled = AttendAsync(768, cancellation.Token);
        await cluster.WaitForComputationsAsync(silo, 1, TestContext.Current.CancellationToken);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await cluster.WaitUntilIdleAsync(TestContext.Current.CancellationToken);
        cluster.SlowSilo(silo, TimeSpan.Zero);
        await Assert.ThrowsAsync<HeadClusterException>(() => AttendAsync(767, TestContext.Current.CancellationToken));
        Assert.Empty(measured.Of(Errors));

        cluster.FailNextComputation(silo, new InvalidOperationException("a defect"));
        await Assert.ThrowsAnyAsync<Exception>(() => AttendAsync(768, TestContext.Current.CancellationToken));

        Assert.Equal([1L], measured.Of(Errors));

        Task AttendAsync(int width, CancellationToken cancellationToken) =>
            cluster.Client.AttendAsync(Model, 0, Matrices.Random(8, width), cancellationToken);
    }

    private static void AssertDescribes(Activity span, HeadReport report)
    {
        Assert.Equal(report.Head.Model, span.GetTagItem(HeadClusterTelemetry.ModelTag));
        Assert.Equal(report.Head.Layer, span.GetTagItem(HeadClusterTelemetry.LayerTag));
        Assert.Equal(report.Head.KvHead, span.GetTagItem(HeadClusterTelemetry.HeadTag));
        Assert.Equal(report.Silo.ToParsableString(), span.GetTagItem(HeadClusterTelemetry.SiloTag));
        Assert.Equal(5, span.GetTagItem(HeadClusterTelemetry.RowsTag));
        Assert.Equal(report.Queue.TotalMicroseconds, span.GetTagItem(HeadClusterTelemetry.QueueTag));
        Assert.Equal(report.Project.TotalMicroseconds, span.GetTagItem(HeadClusterTelemetry.ProjectTag));
        Assert.Equal(report.Attend.TotalMicroseconds, span.GetTagItem(HeadClusterTelemetry.AttendTag));
        Assert.Equal(5L * 16 * sizeof(float), span.GetTagItem(HeadClusterTelemetry.BytesTag));
        Assert.Equal(ActivityStatusCode.Ok, span.Status);
    }
}
