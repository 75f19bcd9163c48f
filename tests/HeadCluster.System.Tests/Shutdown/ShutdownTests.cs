using System.Net;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Shutdown;

public sealed class ShutdownTests
{
    // 250 GFLOP in one sequence, which is sent as a whole: a second or more of one thread.
    private const string Model = "random:gpt2-small?seed=1&positions=8192";
    private const int Rows = 8192;
    private const int Width = 768;

    private static readonly Dictionary<string, string> OneThread = new() { ["HeadCluster__ComputeThreads"] = "1" };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_that_runs_when_its_silo_is_told_to_stop_completes_while_the_silo_is_live_and_not_ready()
    {
        var port = SiloProcess.FreePorts(1)[0];
        await using var silo = await SiloProcess.StartAsync(primary: null, OneThread, "--health-port", $"{port}");
        await using var client = await HeadClusterClient.ConnectAsync(
            options =>
            {
                options.Gateways.Add(silo.Gateway);
                options.ConnectTimeout = TimeSpan.FromMinutes(1);
            },
            Cancelled);
        var expected = await client.AttendAsync(Model, 0, LongRequest(), Cancelled);
        Assert.Equal(HttpStatusCode.OK, (await Health.ReadyAsync(port)).Status);

        var running = client.AttendAsync(Model, 0, LongRequest(), Cancelled);

        // It goes by the same connection, so that the other has arrived when it is answered.
        await client.DescribeAsync(Inputs.Model, Cancelled);
        await Programs.SignalAsync(silo.Process, "TERM");
        await Eventually.IsTrueAsync(async () => (await Health.ReadyAsync(port)).Status == HttpStatusCode.ServiceUnavailable, "not ready");
        var (status, text) = await Health.ReadyAsync(port);
        var live = await Health.LiveAsync(port);

        Assert.False(running.IsCompleted, "the request was too short to test anything");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("the silo is stopping", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, live.Status);
        var answer = await running;
        Assert.Equal(expected.Output.Span, answer.Output.Span);
        Assert.Equal(0, await EndAsync(silo));
    }

    private static AttentionRequest LongRequest() => new(Inputs.Matrix(Rows, Width));

    private static async Task<int> EndAsync(SiloProcess silo)
    {
        using var limit = Programs.Limit();
        await silo.Process.WaitForExitAsync(limit.Token);
        return silo.Process.ExitCode;
    }
}
