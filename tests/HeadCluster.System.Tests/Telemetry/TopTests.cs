using System.Text.Json;

namespace HeadCluster.System.Tests.Telemetry;

[Collection(TelemetryTests.Name)]
public sealed class TopTests
{
    [Fact]
    public async Task Top_and_status_show_each_head_with_what_it_did_sorted_as_asked()
    {
        await using var first = await SiloProcess.StartAsync(primary: null, "--name", "first");
        await using var second = await SiloProcess.StartAsync(first, "--name", "second");
        string[] cluster = ["--cluster", first.Gateway];
        await CommandResult.SucceedAsync(["generate", .. cluster, "--model", Inputs.Model, "--tokens", "2,1,0", "--steps", "2"]);

        var slowest = Heads(await CommandResult.SucceedAsync(["top", .. cluster, "--json"]));
        Assert.Equal(9, slowest.Count);
        var recent = slowest.ConvertAll(head => head.GetProperty("total").GetProperty("recentMicroseconds").GetDouble());
        Assert.Equal(recent.OrderDescending(), recent);

        // The prompt's three rows, and one of the second step.
        Assert.All(slowest, head => Assert.Equal((2, 4), (head.GetProperty("requests").GetInt32(), head.GetProperty("rows").GetInt32())));
        Assert.Equal(["first", "second"], slowest.Select(head => head.GetProperty("silo").GetString()).Distinct().Order());

        var ordered = Heads(await CommandResult.SucceedAsync(["top", .. cluster, "--json", "--sort", "model", "--model", Inputs.Model]));
        Assert.Equal(
            from layer in Enumerable.Range(0, 3) from head in Enumerable.Range(0, 3) select (layer, head),
            ordered.Select(head => (head.GetProperty("layer").GetInt32(), head.GetProperty("head").GetInt32())));

        foreach (var command in new[] { "top", "status --heads" })
        {
            var text = (await CommandResult.SucceedAsync([.. command.Split(' '), .. cluster])).Output;
            Assert.Equal(9, text.Split('\n').Count(line => line.Contains(Inputs.Model, StringComparison.Ordinal)));
            Assert.Contains("recent µs", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_pipe_has_each_head_whole_in_one_line_whatever_model_and_silo_are_called()
    {
        var model = $"a-model-{new string('m', 120)}";
        var name = $"a silo {new string('s', 120)}";
        await using var silo = await SiloProcess.StartAsync(primary: null, "--name", name, "--models", $"{model}=random:nano");
        string[] cluster = ["--cluster", silo.Gateway];
        await CommandResult.SucceedAsync(["move", .. cluster, $"{model}/0/1", name]);

        foreach (var command in new[] { "top", "status --heads" })
        {
            var text = (await CommandResult.SucceedAsync([.. command.Split(' '), .. cluster])).Output;
            var line = Assert.Single(text.Split('\n'), line => line.Contains(model, StringComparison.Ordinal));
            Assert.Contains(name, line, StringComparison.Ordinal);
            Assert.Matches(@"\d\d-\d\d \d\d:\d\d:\d\d\s*$", line);
        }
    }

    [Theory]
    [InlineData("top --sort speed", "'speed'")]
    [InlineData("top --interval 0", "--interval is 0; expected 1 to 3600")]
    public async Task Top_says_what_it_does_not_know(string command, string because) =>
        (await CommandResult.RunAsync(command.Split(' '))).AssertRefused(because);

    private static List<JsonElement> Heads(CommandResult result) => [.. result.Json.GetProperty("heads").EnumerateArray()];
}
