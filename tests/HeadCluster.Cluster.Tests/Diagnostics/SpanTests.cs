using System.Diagnostics;
using CsCheck;
using HeadCluster.Diagnostics;
using HeadCluster.Testing;

namespace HeadCluster.Tests.Diagnostics;

public sealed class SpanTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_head_has_a_span_below_its_coordinators_also_on_another_silo()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var collector = cluster.CollectSpans();

        var result = await cluster.Client.AttendAsync(NanoGpt.Name, 1, Matrices.Random(5, 48), Stop);

        var attention = Assert.Single(collector.Spans, span => span.OperationName == "attention");
        var heads = Named(collector, "head").OrderBy(span => (int)span.GetTagItem(HeadClusterTelemetry.HeadTag)!).ToArray();
        Assert.Equal(3, heads.Length);
        Assert.All(heads, head => Assert.Equal(attention.SpanId, head.ParentSpanId));
        Assert.Equal(2, heads.Select(head => head.GetTagItem(HeadClusterTelemetry.SiloTag)).Distinct().Count());
        Assert.All(heads.Zip(result.Heads), pair => AssertDescribes(pair.First, pair.Second));
        Assert.Equal(attention.SpanId, Assert.Single(Named(collector, "output_projection")).ParentSpanId);
        Assert.Equal(5, collector.Spans.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_generation_is_one_tree_of_tokens_layers_attentions_and_heads_also_with_orleans_spans_between(bool grainCalls)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var collector = cluster.CollectSpans(grainCalls);

        await cluster.Client.GenerateAsync(NanoGpt.Name, new[] { 2, 1, 0 }, steps: 2, Stop).CountAsync(Stop);

        var generate = Assert.Single(collector.Spans, span => span.OperationName == "generate");
        Assert.Single(collector.Spans.Select(span => span.TraceId).Distinct());
        AssertBelow("token", 2, "generate");
        AssertBelow("layer", 3, "token");
        AssertBelow("attention", 1, "layer");
        AssertBelow("feed_forward", 1, "layer");
        AssertBelow("head", 3, "attention");
        AssertBelow("output_projection", 1, "attention");
        Assert.Equal(1 + 2 + (2 * 3 * (1 + 1 + 1 + 3 + 1)), collector.Spans.Count);
        Assert.All(collector.Spans, span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
        Assert.Equal([3, 4], Named(collector, "token").Select(span => (int)span.GetTagItem(HeadClusterTelemetry.PositionTag)!));
        Assert.Equal(grainCalls, generate.ParentSpanId != default);

        // Each of the upper spans has as many of the lower ones as there should be, and those have no other.
        void AssertBelow(string lower, int each, string upper)
        {
            foreach (var above in Named(collector, upper))
            {
                var below = Named(collector, lower).Where(span => Nearest(collector, span) == above).ToList();
                Assert.Equal(each, below.Count);
                Assert.True(grainCalls || below.All(span => span.ParentSpanId == above.SpanId));
            }
        }
    }

    [Fact]
    public async Task Logits_are_computed_below_the_span_of_the_program_that_asked()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        using var collector = cluster.CollectSpans();
        using var source = new ActivitySource("a program");
        using var listener = new ActivityListener
        {
            ShouldListenTo = other => other == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);

        using (var page = source.StartActivity("a page"))
        {
            await cluster.Client.LogitsAsync(NanoGpt.Name, new[] { 2, 1, 0 }, Stop);
            var forward = Assert.Single(Named(collector, "forward"));
            Assert.Equal((page!.TraceId, page.SpanId), (forward.TraceId, forward.ParentSpanId));
        }

        Assert.Equal(9, Named(collector, "head").Count());
    }

    [Fact]
    public async Task A_request_that_is_refused_leaves_no_head_spans_and_one_that_fails_leaves_an_error()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(1, options => options.MemoryLimitBytes = 20_000, Stop);
        using var collector = cluster.CollectSpans();

        // W_O finds room, the three heads do not all.
        await Refusal.OfAsync(() => cluster.Client.AttendAsync("random:nano", 0, Matrices.Random(5, 48), Stop), "bytes");

        var attention = Assert.Single(collector.Spans, span => span.OperationName == "attention");
        Assert.Equal(ActivityStatusCode.Error, attention.Status);
        Assert.Equal(nameof(HeadClusterErrorKind.OutOfMemory), attention.GetTagItem(HeadClusterTelemetry.ErrorTag));
        Assert.Contains("bytes", attention.StatusDescription, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_head_that_fails_is_an_error_up_to_the_whole_request_and_what_is_cancelled_for_it_is_none(bool generates)
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        int[] tokens = [2, 1, 0];
        await cluster.Client.LogitsAsync(NanoGpt.Name, tokens, Stop);
        using var collector = cluster.CollectSpans();
        cluster.FailNextComputation(cluster.Silos[1], new InvalidOperationException("a defect"));

        var error = await Assert.ThrowsAsync<HeadClusterException>(async () =>
        {
            if (generates)
            {
                await cluster.Client.GenerateAsync(NanoGpt.Name, tokens, steps: 2, Stop).CountAsync(Stop);
            }
            else
            {
                await cluster.Client.LogitsAsync(NanoGpt.Name, tokens, Stop);
            }
        });

        Assert.Equal(HeadClusterErrorKind.Internal, error.Kind);
        var failed = collector.Spans.Where(span => span.Status != ActivityStatusCode.Unset).ToList();
        Assert.Equal(
            generates ? ["attention", "generate", "head", "layer", "token"] : ["attention", "forward", "head", "layer"],
            failed.Select(span => span.OperationName).Order(StringComparer.Ordinal));
        Assert.All(failed, span =>
        {
            Assert.Equal(ActivityStatusCode.Error, span.Status);
            Assert.Contains("a defect", span.StatusDescription, StringComparison.Ordinal);
            Assert.Equal(
                span.OperationName == "head" ? typeof(InvalidOperationException).FullName : nameof(HeadClusterErrorKind.Internal),
                span.GetTagItem(HeadClusterTelemetry.ErrorTag));
        });
    }

    [Fact]
    public async Task A_generation_that_is_read_no_further_or_cancelled_is_no_error()
    {
        await using var cluster = await HeadClusterTestCluster.StartAsync(2, NanoGpt.Model);
        int[] tokens = [2, 1, 0];
        await cluster.Client.LogitsAsync(NanoGpt.Name, tokens, Stop);
        using var collector = cluster.CollectSpans();

        await cluster.Client.GenerateAsync(NanoGpt.Name, tokens, steps: 4, Stop).Take(1).CountAsync(Stop);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        foreach (var silo in cluster.Silos)
        {
            cluster.SlowSilo(silo, TimeSpan.FromDays(1));
        }

        var cancelled = cluster.Client.LogitsAsync(NanoGpt.Name, tokens, cancellation.Token);
        await cluster.WaitForComputationsAsync(cluster.Silos[1], 1, Stop);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await cluster.WaitUntilIdleAsync(Stop);

        Assert.Single(Named(collector, "generate"));
        Assert.All(collector.Spans, span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
        Assert.All(collector.Spans, span => Assert.Null(span.GetTagItem(HeadClusterTelemetry.ErrorTag)));
    }

    [Fact]
    public async Task The_parts_of_a_head_add_up_to_its_span_also_when_its_silo_is_slow()
    {
        const string Model = "random:gpt2-small?layers=1";
        await using var cluster = await HeadClusterTestCluster.StartAsync(2);
        await cluster.Client.AttendAsync(Model, 0, Matrices.Random(1, 768), Stop);

        await Gen.Select(Gen.Int[1, 300], Gen.Int[0, 20]).SampleAsync(
            async (rows, delay) =>
            {
                cluster.SlowSilo(cluster.Silos[1], TimeSpan.FromMilliseconds(delay));
                using var collector = cluster.CollectSpans();
                await cluster.Client.AttendAsync(Model, 0, Matrices.Random(rows, 768), Stop);

                var heads = Named(collector, "head").ToList();
                Assert.Equal(12, heads.Count);
                Assert.All(heads, head => Assert.InRange(Parts(head) / head.Duration.TotalMicroseconds, 0.95, 1.05));
            },
            iter: 20,
            threads: 1);

        static double Parts(Activity head) =>
            Tag(head, HeadClusterTelemetry.QueueTag) + Tag(head, HeadClusterTelemetry.ProjectTag) + Tag(head, HeadClusterTelemetry.AttendTag);

        static double Tag(Activity head, string name) => (double)head.GetTagItem(name)!;
    }

    private static IEnumerable<Activity> Named(SpanCollector collector, string name) => collector.Spans.Where(span => span.OperationName == name);

    // The nearest of HeadCluster's spans above another.
    private static Activity? Nearest(SpanCollector collector, Activity span) => collector.Spans
        .Where(other => collector.IsBelow(span, other))
        .MinBy(other => collector.Spans.Count(below => collector.IsBelow(below, other)));

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
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }
}
