using System.Net;
using System.Net.Sockets;
using HeadCluster.Silo;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.System.Tests.Silo;

public sealed class SiloTests
{
    [Fact]
    public async Task Silo_says_one_line_when_it_is_ready_and_stops_in_order()
    {
        await using var silo = await SiloProcess.StartAsync();

        Assert.Equal(0, await silo.StopAsync());

        var line = Assert.Single(silo.Lines);
        Assert.Contains($"silo port {silo.SiloPort}, gateway port {silo.GatewayPort}, models: nano-gpt", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_whose_port_is_in_use_is_refused()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var result = await RunAsync("--silo-port", $"{port}", "--primary-port", $"{port}");

        result.AssertRefused($"port {port} cannot be listened on");
    }

    [Fact]
    public async Task Silo_announces_the_models_that_can_be_used_and_warns_of_each_other()
    {
        await using var silo = await SiloProcess.StartAsync(primary: null, "--models", "gone=./no-such-directory");

        Assert.Equal(0, await silo.StopAsync());

        Assert.Equal(2, silo.Lines.Length);
        Assert.StartsWith("warn: ", silo.Lines[0], StringComparison.Ordinal);
        Assert.Contains("cannot be used: model 'gone': ", silo.Lines[0], StringComparison.Ordinal);
        Assert.EndsWith("models: nano-gpt", silo.Lines[1], StringComparison.Ordinal);
    }

    // Where it gives up never, this would not end.
    [Fact(Timeout = 60_000)]
    public async Task Silo_waits_for_its_primary_for_longer_than_that_may_rehearse_and_then_says_for_how_long()
    {
        var ports = SiloProcess.FreePorts(3);
        var clock = new FakeTimeProvider();
        var check = SiloPorts.CheckAsync(
            new SiloHostOptions { SiloPort = ports[0], GatewayPort = ports[1], PrimaryPort = ports[2] }, clock, TestContext.Current.CancellationToken);
        while (!check.IsCompleted)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromMilliseconds(200));
            await Task.Yield();
        }

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => check);
        Assert.Contains($"no primary silo answered on port {ports[2]} in 60 seconds", error.Message, StringComparison.Ordinal);
        Assert.True(TimeSpan.FromSeconds(60) > Rehearsal.Limit);
    }

    [Fact]
    public async Task Silo_on_a_machine_that_nobody_reaches_says_which_setting_to_set()
    {
        var unshare = Tool.Require("unshare");
        Assert.SkipUnless((await Tool.RunAsync(unshare, [], "-rn", "true")).ExitCode == 0, "this machine gives nobody a network of its own");

        var result = await Tool.RunAsync(
            unshare,
            [],
            "-rn",
            Programs.DotNet,
            Path.Combine(AppContext.BaseDirectory, Programs.Silo),
            "--clustering",
            "Redis",
            "--connection-string",
            "localhost:6379");

        result.AssertRefused("HeadCluster:Silo:AdvertisedAddress (--advertised-address)");
    }

    [Theory]
    [InlineData("--silo-port 0", "SiloPort is 0")]
    [InlineData("--silo-port 70000", "SiloPort is 70000")]
    [InlineData("--silo-port 30000 --primary-port 30000", "both 30000")]
    [InlineData("--silo-port x", "--silo-port: 'x' is not a whole number; expected a port, 1 to 65535")]
    [InlineData("--silo-port 99999999999", "--silo-port: '99999999999' is not a whole number")]
    [InlineData("--models mine", "'mine' does not add a model")]
    [InlineData("--models m=a --models m=b", "--models adds 'm' twice")]
    [InlineData("--models m=a --models other=a --models M=a", "--models adds 'M' twice")]
    [InlineData("--trace file", "'file'")]
    [InlineData("--bogus", "'--bogus'")]
    public async Task Silo_with_wrong_options_is_refused(string args, string because)
    {
        var result = await RunAsync(args.Split(' '));

        result.AssertRefused(because);
    }

    [Theory]
    [InlineData("HeadCluster__Silo__SiloPort", "many", "HeadCluster:Silo:SiloPort is 'many'; expected a whole number")]
    [InlineData("HeadCluster__Silo__ClusterId", " ", "ClusterId")]
    [InlineData("HeadCluster__ComputeThreads", "many", "HeadCluster:ComputeThreads is 'many'; expected a whole number")]
    [InlineData("HeadCluster__PinComputeThreads", "yes", "HeadCluster:PinComputeThreads is 'yes'; expected true or false")]
    [InlineData("HeadCluster__Patterns__SampleInterval", "1", "HeadCluster:Patterns:SampleInterval is '1'; expected hours, minutes and seconds")]
    [InlineData("HeadCluster__Scheduling__Period", "2", "HeadCluster:Scheduling:Period is '2'; expected hours, minutes and seconds")]
    [InlineData("HeadCluster__RecoveryTimeout", "30", "HeadCluster:RecoveryTimeout is '30'; expected hours, minutes and seconds")]
    [InlineData("HeadCluster__ComputeThreads", "0", "HeadCluster:ComputeThreads")]
    [InlineData("HeadCluster__Models__mine__Path", " ", "HeadCluster:Models:mine:Path")]
    [InlineData("HeadCluster__Scheduling__Strategy", "Fastest", "there is no strategy 'Fastest'; this cluster knows Capacity, Even, Measured, Pinned")]
    public async Task Silo_with_wrong_settings_is_refused(string variable, string value, string because)
    {
        var result = await CommandResult.RunProgramAsync(Programs.Silo, new() { [variable] = value });

        result.AssertRefused(because);
    }

    [Theory]
    [InlineData("HeadCluster__ComputeThreads", "0", "HeadCluster:ComputeThreads")]
    [InlineData("HeadCluster__MemoryLimitBytes", "some", "HeadCluster:MemoryLimitBytes is 'some'; expected a whole number")]
    public async Task Command_whose_embedded_silo_has_wrong_settings_is_refused(string variable, string value, string because)
    {
        var result = await CommandResult.RunProgramAsync(Programs.HeadCluster, new() { [variable] = value }, "status");

        result.AssertRefused(because);
    }

    private static Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunProgramAsync(Programs.Silo, [], args);
}
