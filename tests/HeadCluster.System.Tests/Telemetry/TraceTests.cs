using System.Globalization;
using System.Text.Json;
using HeadCluster.Cli.Output;
using HeadCluster.Cli.Trace;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Telemetry;

[Collection(TelemetryTests.Name)]
public sealed class TraceTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Trace_of_a_model_on_two_silos_has_every_layer_and_head_and_adds_up()
    {
        await using var first = await SiloProcess.StartAsync(primary: null, "--name", "first");
        await using var second = await SiloProcess.StartAsync(first, "--name", "second");
        string[] command = ["trace", "--cluster", first.Gateway, "--model", Inputs.Model, "--tokens", "2,1,0,2,1,0"];

        var trace = (await CommandResult.SucceedAsync([.. command, "--json"])).Json;

        var layers = trace.GetProperty("layers").EnumerateArray().ToList();
        Assert.Equal([0, 1, 2], layers.Select(layer => layer.GetProperty("layer").GetInt32()));
        Assert.All(layers, layer =>
        {
            Assert.Equal([0, 1, 2], layer.GetProperty("heads").EnumerateArray().Select(head => head.GetProperty("head").GetInt32()));
            Assert.Equal(
                ["first", "second"], layer.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("silo").GetString()).Order());
            AssertAddsUp(layer);
        });
        var inLayers = layers.Sum(layer => Number(layer, "attentionMicroseconds") + Number(layer, "feedForwardMicroseconds"));
        Assert.InRange(inLayers, 1, Number(trace, "elapsedMicroseconds"));

        var text = (await CommandResult.SucceedAsync([.. command, "--layer", "1"])).Output;
        Assert.Contains("layer 1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("layer 2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_of_a_layer_over_random_rows_needs_no_tokens()
    {
        var trace = (await CommandResult.SucceedAsync("trace", "--model", "random:nano", "--rows", "5", "--layer", "1", "--json")).Json;

        Assert.Equal(5, trace.GetProperty("rows").GetInt32());
        var layer = Assert.Single(trace.GetProperty("layers").EnumerateArray());
        Assert.Equal(1, layer.GetProperty("layer").GetInt32());
        Assert.Equal(0, Number(layer, "feedForwardMicroseconds"));
        AssertAddsUp(layer);
    }

    [Fact]
    public async Task Transfer_the_slowest_head_and_the_output_projection_explain_nine_tenths_of_a_layers_time_on_two_silos()
    {
        const string Model = "random:gpt2-small?layers=1&positions=512";
        const int Requests = 11;
        await using var first = await SiloProcess.StartAsync(primary: null, "--name", "first");
        await using var second = await SiloProcess.StartAsync(first, "--name", "second");
        await using var client = await HeadClusterClient.ConnectAsync(first.Gateway, TestContext.Current.CancellationToken);
        var input = Inputs.Matrix(rows: 512, columns: 768);
        await TraceAsync();

        // Whoever else wants the processors may have any request wait between its parts, but not always half of them.
        await Eventually.IsTrueAsync(
            async () =>
            {
                var shares = new double[Requests];
                for (var request = 0; request < Requests; request++)
                {
                    var layer = await TraceAsync();
                    shares[request] = layer.Slowest.RestMicroseconds / layer.AttentionMicroseconds;
                }

                Array.Sort(shares);
                output.WriteLine(string.Join(' ', shares.Select(share => share.ToString("p1", CultureInfo.InvariantCulture))) + " of a layer's time unexplained");
                return shares[Requests / 2] is >= 0 and <= 0.1;
            },
            "most layers of which nine tenths are explained");

        async Task<LayerTrace> TraceAsync()
        {
            var result = await client.AttendAsync(Model, 0, input, TestContext.Current.CancellationToken);
            var names = new SiloNames(await client.StatusAsync(TestContext.Current.CancellationToken));
            result.Output.Release();
            return LayerTrace.Of(result.Heads, new LayerReport(result.Silos, result.Elapsed, result.OutputProjection, FeedForward: TimeSpan.Zero), names);
        }
    }

    [Theory]
    [InlineData("--tokens 0 --rows 3", "either --tokens")]
    [InlineData("--layer 0", "either --tokens")]
    [InlineData("--tokens 0 --layer 3", "--layer is 3; expected 0 to 2")]
    [InlineData("--rows 12", "--rows is 12; expected 1 to 11")]
    [InlineData("--tokens a", "'a' is not a token id")]
    public async Task Trace_says_what_it_cannot_run(string arguments, string because) =>
        (await CommandResult.RunAsync(["trace", "--model", Inputs.Model, .. arguments.Split(' ')])).AssertRefused(because);

    [Fact]
    public void A_bar_ends_where_its_parts_do_together_however_small_they_are()
    {
        Assert.Equal("·░░▒▒▒██", Waterfall.Bar([('·', 10), ('░', 20), ('▒', 30), ('█', 20)], scale: 100, width: 10));
        Assert.Equal(10, Waterfall.Bar([.. Enumerable.Repeat(('█', 0.4), 25)], scale: 10, width: 10).Length);
        Assert.Equal(10, Waterfall.Bar([('█', 1000)], scale: 10, width: 10).Length);
        Assert.Equal("", Waterfall.Bar([('█', 0.4)], scale: 10, width: 10));
    }

    // The layer is transfer, the slowest head, the output projection and a rest that is said.
    private static void AssertAddsUp(JsonElement layer)
    {
        var slowest = layer.GetProperty("slowest");
        var head = layer.GetProperty("heads").EnumerateArray().Single(head => head.GetProperty("head").GetInt32() == slowest.GetProperty("head").GetInt32());
        var sum = Number(slowest, "transferMicroseconds") + Number(slowest, "restMicroseconds") + Number(layer, "outputProjectionMicroseconds")
            + Number(head, "queueMicroseconds") + Number(head, "projectMicroseconds") + Number(head, "attendMicroseconds");
        Assert.Equal(Number(layer, "attentionMicroseconds"), sum, tolerance: 0.5);
        Assert.True(Number(slowest, "restMicroseconds") >= 0);
    }

    private static double Number(JsonElement element, string name) => element.GetProperty(name).GetDouble();
}
