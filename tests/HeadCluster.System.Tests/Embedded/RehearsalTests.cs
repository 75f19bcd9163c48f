using HeadCluster.Client;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests.Embedded;

/// <summary>What a silo plays through before it joins its cluster.</summary>
public sealed class RehearsalTests
{
    // A method that only runs when another silo sends a layer's input.
    private const string Serving = "HeadCluster.Grains.HeadRelay:AttendAsync";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_serving_takes_is_compiled_when_a_silo_is_ready_if_it_rehearses(bool rehearse)
    {
        using var directory = new TemporaryDirectory();
        var compiled = directory.File("compiled");
        var environment = new Dictionary<string, string>
        {
            [SiloProcess.Rehearse] = $"{rehearse}",

            // The runtime lists each method that it compiles.
            ["DOTNET_JitStdOutFile"] = compiled,
            ["DOTNET_JitDisasmSummary"] = "1",
        };
        await using var silo = await SiloProcess.StartAsync(primary: null, environment);

        Assert.Equal(rehearse, (await File.ReadAllTextAsync(compiled, Stop)).Contains(Serving, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cluster_does_not_hear_of_the_rehearsal()
    {
        await using var silo = await SiloProcess.StartAsync(primary: null, SiloProcess.Rehearsed, "--trace", "console", "--metrics", "console");
        await using var client = await HeadClusterClient.ConnectAsync(silo.Gateway, Stop);

        var status = await client.StatusAsync(Stop);

        Assert.Equal(Inputs.Model, Assert.Single(status.Models).Name);
        Assert.Empty(status.Heads);
        Assert.Single(status.Silos);
        Assert.Equal(0, await silo.StopAsync());
        Assert.DoesNotContain(silo.Lines, line => line.Contains("gpt2-small", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_silo_that_cannot_rehearse_says_why_and_serves()
    {
        var environment = new Dictionary<string, string>(SiloProcess.Rehearsed) { ["HeadCluster__MemoryLimitBytes"] = "100000" };
        await using var silo = await SiloProcess.StartAsync(primary: null, environment);
        await using var client = await HeadClusterClient.ConnectAsync(silo.Gateway, Stop);

        var answer = await client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 3, columns: 48), Stop);

        Assert.Equal([3, 48], answer.Output.Shape.ToArray());
        Assert.Contains("starts without a rehearsal, so that its first requests take longer: ", silo.Lines[0], StringComparison.Ordinal);
        Assert.Contains("100,000", silo.Lines[0], StringComparison.Ordinal);
    }
}
