using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Bench;

/// <summary>The benchmarks that start silo processes, in their quick form.</summary>
public sealed class BenchClusterTests
{
    [Fact]
    public async Task Bench_cluster_reports_a_layer_that_has_the_same_bits_on_two_silos_one_and_none()
    {
        using var folder = new TemporaryDirectory();

        var run = await MeasureAsync(
            "bench", "cluster", "--silos", "2", "--quick", "--shapes", "11x48x3", "--json", folder.File("figures.json"));

        Assert.Contains("11x48x3", run.Output, StringComparison.Ordinal);
        var result = Assert.Single(Read(folder.File("figures.json")).GetProperty("results").EnumerateArray());
        Assert.Equal(
            (11, 48, 3, 2, 1),
            (Int(result, "rows"), Int(result, "modelDim"), Int(result, "heads"), Int(result, "silos"), Int(result, "threads")));
        foreach (var time in (string[])["milliseconds", "oneSiloMilliseconds", "plainMilliseconds", "emptyFanOutMilliseconds"])
        {
            Assert.True(result.GetProperty(time).GetDouble() > 0, time);
        }

        foreach (var ratio in (string[])["speedup", "actorTax", "emptyFanOutRatio"])
        {
            Assert.True(result.GetProperty(ratio).GetDouble() > 0, ratio);
        }

        Assert.InRange(result.GetProperty("transferShare").GetDouble(), 0, 1);
        Assert.Equal(64, result.GetProperty("sha256").GetString()!.Length);

        // x of 11 rows to one silo, and z of the one head there.
        Assert.Equal(4 * 11 * (48 + 16), Int(result, "idealWireBytes"));
        if (result.GetProperty("wireBytes") is { ValueKind: JsonValueKind.Number } wire)
        {
            Assert.True(wire.GetInt64() >= Int(result, "idealWireBytes"), $"{wire} bytes cannot carry x and z");
        }
    }

    [Fact]
    public async Task Bench_cluster_compares_one_silo_with_itself()
    {
        using var folder = new TemporaryDirectory();

        await MeasureAsync(
            "bench", "cluster", "--silos", "1", "--threads", "2", "--quick", "--shapes", "5x32x2", "--json", folder.File("figures.json"));

        var result = Assert.Single(Read(folder.File("figures.json")).GetProperty("results").EnumerateArray());
        Assert.Equal((1, 2, 0), (Int(result, "silos"), Int(result, "threads"), Int(result, "idealWireBytes")));
        Assert.Equal((0, 0), (result.GetProperty("transferShare").GetDouble(), Int(result, "wireBytes")));
        Assert.Equal(JsonValueKind.Null, result.GetProperty("wireRatio").ValueKind);
    }

    [Theory]
    [InlineData("--silos", "0", "--silos is 0; expected 1 to 64")]
    [InlineData("--silos", "two", "'two' is not a whole number")]
    [InlineData("--threads", "0", "--threads is 0; expected 1 to 1024")]
    [InlineData("--shapes", "11x48", "'11x48' is not the shape of a layer")]
    [InlineData("--shapes", "11x48x5", "heads that divide the width")]
    [InlineData("--json", "absent/figures.json", "--json: ")]
    public async Task Bench_cluster_refuses_what_cannot_be_measured(string option, string value, string because) =>
        (await CommandResult.RunAsync("bench", "cluster", option, value)).AssertRefused(because);

    [Fact]
    public async Task Bench_plan_reports_splits_with_what_is_expected_of_them_and_which_was_picked()
    {
        using var folder = new TemporaryDirectory();

        await MeasureAsync("bench", "plan", "--quick", "--shapes", "11x48x3", "--json", folder.File("figures.json"));

        var results = Read(folder.File("figures.json")).GetProperty("results").EnumerateArray().ToArray();
        Assert.Single(results, result => result.GetProperty("isPicked").GetBoolean());
        Assert.All(results, result =>
        {
            Assert.Equal(3, result.GetProperty("split").EnumerateArray().Sum(heads => heads.GetInt32()));
            Assert.True(result.GetProperty("predictedMilliseconds").GetDouble() > 0);
            Assert.True(result.GetProperty("milliseconds").GetDouble() > 0);
        });
    }

    [Fact]
    public async Task Bench_plan_slows_a_silo_down_by_a_quota_where_that_may_be_set()
    {
        var run = await RunAsync("bench", "plan", "--quick", "--shapes", "11x48x3", "--quota", "50");
        Assert.SkipWhen(run.Error.Contains("a quota takes a control group", StringComparison.Ordinal), run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("picked", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--quota", "0", "--quota is 0; expected 1 to 100")]
    [InlineData("--busy", "17", "--busy is 17; expected 0 to 16")]
    public async Task Bench_plan_refuses_what_cannot_be_measured(string option, string value, string because) =>
        (await CommandResult.RunAsync("bench", "plan", option, value)).AssertRefused(because);

    [Fact]
    public async Task Silo_of_the_benchmark_whose_port_was_taken_says_so_that_others_are_tried()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = ((IPEndPoint)other.LocalEndpoint).Port;

        var silo = await CommandResult.RunProgramAsync(
            Programs.HeadCluster,
            new() { ["HeadCluster__Silo__SiloPort"] = $"{taken}", ["HeadCluster__Silo__PrimaryPort"] = $"{taken}" },
            "bench",
            "silo");

        Assert.Equal(2, silo.ExitCode);
        Assert.True(silo.Json.GetProperty("isPortTaken").GetBoolean());
        Assert.Contains($"port {taken} cannot be listened on", silo.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    // What is asked here is that figures come, not what they are: its silos may start as others of tests do.
    private static Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunProgramAsync(Programs.HeadCluster, SiloProcess.Quick, args);

    private static async Task<CommandResult> MeasureAsync(params string[] args)
    {
        var run = await RunAsync(args);
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }

    private static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    private static int Int(JsonElement result, string name) => result.GetProperty(name).GetInt32();
}
