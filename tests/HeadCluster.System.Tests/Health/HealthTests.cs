using System.Net;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Healthy;

public sealed class HealthTests
{
    [Fact]
    public async Task Silo_is_live_and_ready_and_says_of_how_many_heads()
    {
        var port = SiloProcess.FreePorts(1)[0];
        await using var silo = await SiloProcess.StartAsync(primary: null, "--health-port", $"{port}");
        await using var client = await HeadClusterClient.ConnectAsync(silo.Gateway, TestContext.Current.CancellationToken);

        var (before, none) = await Health.ReadyAsync(port);
        await client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 2), TestContext.Current.CancellationToken);
        var (after, three) = await Health.ReadyAsync(port);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (before, after));
        Assert.Contains("heads: no head is active here", none, StringComparison.Ordinal);
        Assert.Contains("heads: the heads here answer, of which there are 3", three, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await Health.LiveAsync(port)).Status);
    }

    [Fact]
    public async Task Silo_stays_live_and_ready_when_another_of_its_cluster_hangs()
    {
        var port = SiloProcess.FreePorts(1)[0];
        await using var first = await SiloProcess.StartAsync();
        await using var second = await SiloProcess.StartAsync(first, "--health-port", $"{port}");

        await Programs.SignalAsync(first.Process, "STOP");

        Assert.Equal(HttpStatusCode.OK, (await Health.ReadyAsync(port)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Health.LiveAsync(port)).Status);
    }

    [Fact]
    public async Task Silo_whose_health_port_is_taken_is_refused()
    {
        await using var silo = await SiloProcess.StartAsync();
        var ports = SiloProcess.FreePorts(2);

        var result = await CommandResult.RunProgramAsync(
            Programs.Silo, [], "--silo-port", $"{ports[0]}", "--gateway-port", $"{ports[1]}", "--health-port", $"{silo.GatewayPort}");

        result.AssertRefused($"port {silo.GatewayPort} cannot be listened on");
        Assert.Contains("--health-port", result.Error, StringComparison.Ordinal);
    }
}
