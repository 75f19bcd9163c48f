namespace HeadCluster.System.Tests.Deploy;

public sealed class ClusterScriptTests
{
    [Fact]
    public async Task Cluster_script_starts_tells_of_and_stops_two_silos_from_a_clean_state()
    {
        await using var cluster = await LocalCluster.StartAsync(2);

        Assert.Equal(["silo-1 ready", "silo-2 ready"], cluster.Silos.Select(silo => $"{silo.Name} {silo.State}"));
        var status = await CommandResult.SucceedAsync("status", "--cluster", cluster.Silos[1].Gateway, "--json");
        Assert.Equal(2, status.Json.GetProperty("silos").GetArrayLength());

        var twice = await cluster.RunAsync("up", "1");
        Assert.Equal(2, twice.ExitCode);
        Assert.Contains("is up; stop that with down", twice.Error, StringComparison.Ordinal);

        cluster.Silos[1].Kill();
        await Eventually.IsTrueAsync(async () => (await cluster.StatusAsync())[1].State == "ended", "a silo that has ended");

        var down = await cluster.RunAsync("down");
        Assert.Equal((0, "silo-2 has ended\nsilo-1 has ended\n"), (down.ExitCode, down.Output));
        Assert.Equal("no cluster is up\n", (await cluster.RunAsync("status")).Output);
    }

    [Fact]
    public async Task Cluster_script_takes_no_silo_of_another_cluster_for_its_own()
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        await using var other = await LocalCluster.StartAsync(1);
        await other.RunAsync("down");

        var result = await other.RunAsync("up", "1", "--health-port", $"{cluster.Silos[0].HealthPort}");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"something listens on health port {cluster.Silos[0].HealthPort}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("up", "'' is not a number of silos")]
    [InlineData("up none", "'none' is not a number of silos")]
    [InlineData("up 1 --bogus x", "'--bogus' is not an option of cluster.sh")]
    [InlineData("up 1 --redis", "--redis needs a value")]
    [InlineData("around", "usage: cluster.sh")]
    public async Task Cluster_script_refuses_what_it_cannot_do(string args, string because)
    {
        await using var cluster = await LocalCluster.StartAsync(1);
        await cluster.RunAsync("down");

        var result = await cluster.RunAsync(args.Split(' '));

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(because, result.Error, StringComparison.Ordinal);
    }
}
