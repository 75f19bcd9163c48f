namespace HeadCluster.System.Tests.Telemetry;

[Collection(TelemetryTests.Name)]
public sealed class OtlpTests
{
    private const int Layers = 3;
    private const int Heads = 3;

    [Fact]
    public async Task One_request_to_two_silo_processes_is_one_connected_trace_with_every_head_under_it_and_is_measured()
    {
        await using var receiver = new OtlpReceiver();
        await GenerateAsync(receiver, []);

        Assert.Superset(
            new HashSet<string>(
            [
                "headcluster.head.duration s",
                "headcluster.queue.duration s",
                "headcluster.attention.duration s",
                "headcluster.token.duration s",
                "headcluster.wire.io By",
                "headcluster.heads {head}",
                "headcluster.sequences.memory By",
                "headcluster.attention.active_requests {request}",
            ]),
            receiver.Metrics.ToHashSet());
        var spans = receiver.Spans;
        Assert.Single(spans.Select(span => span.TraceId).Distinct());
        var byId = spans.ToDictionary(span => span.Id);
        Assert.Equal("generate", Assert.Single(spans, span => span.ParentId is null).Name);
        Assert.All(spans.Where(span => span.ParentId is not null), span => Assert.Contains(span.ParentId!, byId.Keys));

        var heads = spans.Where(span => span.Name == "head").ToList();
        Assert.Equal(
            from layer in Enumerable.Range(0, Layers) from head in Enumerable.Range(0, Heads) select (layer, head),
            heads.Select(head => ((int)(long)head.Attributes["headcluster.layer"], (int)(long)head.Attributes["headcluster.head"])).Order());
        Assert.Equal(2, heads.Select(head => head.Attributes["headcluster.silo"]).Distinct().Count());
        Assert.All(heads, head => Assert.Equal(["attention", "layer", "token", "generate"], Above(head)));
        Assert.Equal(["first", "second"], spans.Select(span => span.Resource["service.name"]).Distinct().Order());

        // The one that the environment gives the first, and the one that the second made for itself.
        var instances = spans.Select(span => (string)span.Resource["service.instance.id"]).Distinct().ToList();
        Assert.Equal(2, instances.Count);
        Assert.Contains("the first", instances);

        // No span of anybody else in between.
        Assert.Equal(1 + 1 + (Layers * (4 + Heads)), spans.Count);

        IEnumerable<string> Above(OtlpSpan span)
        {
            while (span.ParentId is { } id)
            {
                span = byId[id];
                yield return span.Name;
            }
        }
    }

    [Fact]
    public async Task What_the_environment_does_not_sample_is_not_sent()
    {
        await using var receiver = new OtlpReceiver();
        await GenerateAsync(receiver, new() { ["OTEL_TRACES_SAMPLER"] = "parentbased_always_off" });

        Assert.Empty(receiver.Spans);
        Assert.NotEmpty(receiver.Metrics);
    }

    private static async Task GenerateAsync(OtlpReceiver receiver, Dictionary<string, string> more)
    {
        more["OTEL_METRIC_EXPORT_INTERVAL"] = "500";
        await using var first = await SiloProcess.StartAsync(
            primary: null, new Dictionary<string, string>(Environment("first")) { ["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id=the first" });
        await using var second = await SiloProcess.StartAsync(first, Environment("second"));
        await CommandResult.SucceedAsync("generate", "--cluster", first.Gateway, "--model", Inputs.Model, "--tokens", "2,1,0", "--steps", "1");

        // What is observed is sent while silos run; of the rest they send what is left when they stop.
        await Eventually.IsTrueAsync(() => Task.FromResult(receiver.Metrics.Contains("headcluster.heads {head}")), "a count of heads");
        Assert.Equal(0, await second.StopAsync());
        Assert.Equal(0, await first.StopAsync());

        Dictionary<string, string> Environment(string service) =>
            new(receiver.Environment.Concat(more)) { ["OTEL_SERVICE_NAME"] = service };
    }
}
