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

        var (exitCode, error) = await RunAsync("--silo-port", $"{port}", "--primary-port", $"{port}");

        Assert.Equal(2, exitCode);
        Assert.Contains($"error: port {port} cannot be listened on", Assert.Single(error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_without_its_primary_gives_up()
    {
        var ports = SiloProcess.FreePorts(3);

        var (exitCode, error) = await RunAsync("--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}", "--primary-port", $"{ports[2]}");

        Assert.Equal(2, exitCode);
        Assert.Contains($"no primary silo answers on port {ports[2]}", Assert.Single(error), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--silo-port 0", "SiloPort is 0")]
    [InlineData("--silo-port 70000", "SiloPort is 70000")]
    [InlineData("--silo-port 30000 --primary-port 30000", "both 30000")]
    [InlineData("--silo-port x", "'x'")]
    [InlineData("--models mine", "'mine' does not add a model")]
    [InlineData("--trace file", "'file'")]
    [InlineData("--bogus", "'--bogus'")]
    public async Task Silo_with_wrong_options_is_refused(string args, string because)
    {
        var (exitCode, error) = await RunAsync(args.Split(' '));

        Assert.Equal(2, exitCode);
        Assert.Contains(because, Assert.Single(error), StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string[] Error)> RunAsync(params string[] args)
    {
        using var limit = Programs.Limit();
        using var process = Programs.Start(Programs.Silo, args);
        try
        {
            var error = await process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            process.Kill();
        }
    }
}
