using System.Net;
using System.Net.Sockets;

namespace HeadCluster.System.Tests.Cluster;

public sealed class GatewayTests
{
    [Fact]
    public async Task Gateway_where_nobody_listens_is_refused_with_its_address()
    {
        var port = SiloProcess.FreePorts(1)[0];

        var result = await CommandResult.RunAsync("status", "--cluster", $"localhost:{port}");

        result.AssertRefused($"localhost:{port} within 5 s");
    }

    [Fact]
    public async Task Gateway_that_never_answers_is_given_up()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        var result = await CommandResult.RunAsync("status", "--cluster", silent.LocalEndpoint.ToString()!);

        result.AssertRefused($"{silent.LocalEndpoint} within 15 s");
    }

    [Theory]
    [InlineData("nohost")]
    [InlineData(":30000")]
    [InlineData("localhost:0")]
    [InlineData("localhost:65536")]
    [InlineData("local host:30000")]
    public async Task Gateway_that_is_no_address_is_refused(string gateway)
    {
        var result = await CommandResult.RunAsync("status", "--cluster", gateway);

        result.AssertRefused($"'{gateway}' is not the address of a gateway");
    }

    [Fact]
    public async Task Cluster_of_another_name_is_joined_by_that_name()
    {
        await using var silo = await SiloProcess.StartAsync(primary: null, "--cluster-id", "theirs");

        await CommandResult.SucceedAsync("status", "--cluster", silo.Gateway, "--cluster-id", "theirs");
        var result = await CommandResult.RunAsync("status", "--cluster", silo.Gateway);

        result.AssertRefused("no silo of cluster 'headcluster'");
    }

    [Theory]
    [InlineData("--cluster-id")]
    [InlineData("--service-id")]
    public async Task Cluster_name_without_a_gateway_is_refused(string option)
    {
        var result = await CommandResult.RunAsync("status", option, "theirs");

        result.AssertRefused($"{option} names a running cluster; say where it is too, with --cluster");
    }

    [Fact]
    public async Task Interrupted_command_ends_with_130_and_says_nothing()
    {
        using var limit = Programs.Limit();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var command = Programs.Start(Programs.HeadCluster, "status", "--cluster", silent.LocalEndpoint.ToString()!);

        // Once it has connected it waits for an answer.
        using var connection = await silent.AcceptTcpClientAsync(limit.Token);
        await Programs.SignalAsync(command, "INT");
        var error = await command.StandardError.ReadToEndAsync(limit.Token);
        await command.WaitForExitAsync(limit.Token);

        Assert.Equal(130, command.ExitCode);
        Assert.Empty(error);
    }
}
