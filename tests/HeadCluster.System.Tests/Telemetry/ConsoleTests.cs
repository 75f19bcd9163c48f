using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Telemetry;

[Collection(TelemetryTests.Name)]
public sealed class ConsoleTests
{
    [Fact]
    public async Task Head_spans_of_both_silo_processes_are_under_their_attention_span()
    {
        await using var first = await SiloProcess.StartAsync(primary: null, "--trace", "console");
        await using var second = await SiloProcess.StartAsync(first, "--trace", "console");
        using var folder = new TemporaryDirectory();
        await CommandResult.SucceedAsync(
            "attend", "--cluster", first.Gateway, "--model", Inputs.Model, "--layer", "0", "--input", Inputs.Write(folder.File("x.npy"), rows: 4));

        Assert.Equal(0, await second.StopAsync());
        Assert.Equal(0, await first.StopAsync());

        var spans = Spans.Parse(first.Lines.Concat(second.Lines));
        var attention = Assert.Single(spans.Values, span => span.Name == "attention");
        var heads = spans.Values.Where(span => span.Name == "head").ToList();
        Assert.Equal(3, heads.Count);
        Assert.All(heads, head => Assert.Equal(attention, spans.Above(head, "attention")));
        Assert.Equal(2, heads.Select(head => head.Silo).Distinct().Count());
    }

    [Theory]
    [InlineData("--trace", new[] { "generate", "token", "layer", "attention", "head", "output_projection", "feed_forward" })]
    [InlineData("--metrics", new string[0])]
    public async Task Spans_and_metrics_are_printed_each_where_asked_for(string option, string[] expected)
    {
        var result = await CommandResult.SucceedAsync("generate", "--model", Inputs.Model, "--tokens", "0", "--steps", "1", option, "console");

        Assert.Equal(expected.Order(), Spans.Parse(result.Error.Split('\n')).Values.Select(span => span.Name).Distinct().Order());
        Assert.Equal(expected.Length == 0, result.Error.Contains("headcluster.head.duration", StringComparison.Ordinal));
        Assert.Single(result.Output.Trim().Split('\n'));
    }

    [Fact]
    public async Task Grain_calls_are_printed_between_the_spans_if_asked_for()
    {
        var result = await CommandResult.SucceedAsync(
            "generate", "--model", Inputs.Model, "--tokens", "0", "--steps", "1", "--trace", "console", "--trace-calls");

        var spans = Spans.Parse(result.Error.Split('\n'));
        Assert.Contains(spans.Values, span => span.Name.StartsWith("IMultiHeadAttentionGrain/", StringComparison.Ordinal));
        Assert.All(spans.Values.Where(span => span.Name == "head"), head => Assert.NotNull(spans.Above(head, "generate")));
    }

    [Theory]
    [InlineData(null, "service.name: headcluster")]
    [InlineData("mine", "service.name: mine")]
    public async Task Spans_are_of_a_service_that_has_a_name(string? variable, string expected)
    {
        var environment = new Dictionary<string, string>();
        if (variable is not null)
        {
            environment["OTEL_SERVICE_NAME"] = variable;
        }

        var result = await CommandResult.RunProgramAsync(
            Programs.HeadCluster, environment, "generate", "--model", Inputs.Model, "--tokens", "0", "--steps", "1", "--trace", "console");

        Assert.Equal(0, result.ExitCode);
        var services = result.Error.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("service.name", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(services);
        Assert.All(services, service => Assert.Equal(expected, service));
    }
}
