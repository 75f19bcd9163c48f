using System.Net;
using HeadCluster.Client;
using HeadCluster.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HeadCluster.System.Tests.Healthy;

public sealed class HeadsCheckTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silo_of_which_a_head_does_not_answer_is_not_ready_and_names_it_until_it_answers()
    {
        var silent = new SilentHead(new HeadId(Inputs.Model, 0, 1));
        var (host, ports) = await SiloProcess.OnFreePortsAsync(3, async ports => (await StartAsync(ports, silent), ports));
        using var silo = host;
        await using var client = await HeadClusterClient.ConnectAsync($"localhost:{ports[1]}", Stop);
        await client.AttendAsync(Inputs.Model, 0, Inputs.Matrix(rows: 2), Stop);

        var (status, text) = await Health.ReadyAsync(ports[2]);
        silent.End.SetResult();
        var (later, _) = await Health.ReadyAsync(ports[2]);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (status, later));
        Assert.Contains("heads: 1 of 3 heads here do not answer, such as nano-gpt/0/1\n", text, StringComparison.Ordinal);
        await host.StopAsync(Stop);
    }

    private static async Task<IHost> StartAsync(int[] ports, SilentHead silent)
    {
        var builder = SiloHost.CreateBuilder(new Dictionary<string, string?>
        {
            ["HeadCluster:Silo:SiloPort"] = $"{ports[0]}",
            ["HeadCluster:Silo:PrimaryPort"] = $"{ports[0]}",
            ["HeadCluster:Silo:GatewayPort"] = $"{ports[1]}",
            ["HeadCluster:Silo:HealthPort"] = $"{ports[2]}",
        });
        builder.Services.AddSingleton<IIncomingGrainCallFilter>(silent);
        var host = builder.Build();
        try
        {
            await host.StartAsync(Stop);
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    private sealed class SilentHead(HeadId head) : IIncomingGrainCallFilter
    {
        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName == "GetStatisticsAsync" && context.TargetId.Key.ToString() == head.ToString())
            {
                await End.Task;
            }

            await context.Invoke();
        }
    }
}
