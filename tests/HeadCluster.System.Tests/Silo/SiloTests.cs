using System.Net;
using System.Net.Sockets;

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
    public async Task Silo_without_its_primary_gives_up()
    {
        var ports = SiloProcess.FreePorts(3);

        var result = await RunAsync("--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}", "--primary-port", $"{ports[2]}");

        result.AssertRefused($"no primary silo answers on port {ports[2]}");
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
