using System.Net;
using HeadCluster.Client;

namespace HeadCluster.System.Tests.Shutdown;

public sealed class ShutdownTests
{
    private const string Model = "random:gpt2-small?seed=1&positions=32768";
    private const int Width = 768;

    // 0.25 TFLOP in one sequence, which is sent as a whole: a second of one thread, and four times that for twice the rows.
    private const int FewestRows = 8192;
    private const int MostRows = 4 * FewestRows;

    private static readonly Dictionary<string, string> OneThread = new() { ["HeadCluster__ComputeThreads"] = "1" };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_that_runs_when_its_silo_is_told_to_stop_completes_while_the_silo_is_live_and_not_ready()
    {
        // How long it must take depends on how soon a busy machine lets this test look.
        var rows = FewestRows;
        while (!await OutlivesTheSignalAsync(new AttentionRequest(Inputs.Matrix(rows, Width))))
        {
            rows *= 2;
            Assert.True(rows <= MostRows, "every request was too short to test anything");
        }
    }

    private static async Task<bool> OutlivesTheSignalAsync(AttentionRequest request)
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
        var expected = await client.AttendAsync(Model, 0, request, Cancelled);
        Assert.Equal(HttpStatusCode.OK, (await Health.ReadyAsync(port)).Status);

        var running = client.AttendAsync(Model, 0, request, Cancelled);

        // It goes by the same connection, so that the other has arrived when it is answered.
        await client.DescribeAsync(Inputs.Model, Cancelled);
        await Programs.SignalAsync(silo.Process, "TERM");
        await Eventually.IsTrueAsync(
            async () => running.IsCompleted || (await Health.ReadyAsync(port)).Status == HttpStatusCode.ServiceUnavailable, "not ready");
        if (running.IsCompleted)
        {
            return false;
        }

        var (status, text) = await Health.ReadyAsync(port);
        var live = await Health.LiveAsync(port);
        if (running.IsCompleted)
        {
            return false;
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("the silo is stopping", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, live.Status);
        var answer = await running;
        Assert.Equal(expected.Output.Span, answer.Output.Span);
        Assert.Equal(0, await EndAsync(silo));
        return true;
    }

    private static async Task<int> EndAsync(SiloProcess silo)
    {
        using var limit = Programs.Limit();
        await silo.Process.WaitForExitAsync(limit.Token);
        return silo.Process.ExitCode;
    }
}
