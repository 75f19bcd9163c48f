using System.Globalization;

namespace HeadCluster.System.Tests.Scheduling;

/// <summary>
/// Silos leave and come as in a rolling upgrade. The long form is <c>HEADCLUSTER_DRAINS=10 dotnet test -c Release</c>; its silos
/// rehearse, and it prints the longest time that a client waited for an answer.
/// </summary>
public sealed class LeavingTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1";
    private const int Clients = 8;

    private static readonly string? Long = Environment.GetEnvironmentVariable("HEADCLUSTER_DRAINS");
    private static readonly int Drains = int.Parse(Long ?? "2", CultureInfo.InvariantCulture);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_that_are_told_to_stop_give_up_their_heads_first_and_no_request_fails()
    {
        await using var silos = await RedisSilos.StartAsync(3, Long is null ? SiloProcess.Quick : SiloProcess.Rehearsed, "--no-rebalance");
        await using var load = await Load.StartAsync(silos.Redis, Clients, Load.Layer(Model, Inputs.Matrix(rows: 64, columns: 768)));
        for (var drain = 0; drain < Drains; drain++)
        {
            await load.WaitForAnswersAsync(each: 2);
            var leaving = silos[drain % silos.Count];
            Assert.Equal(0, await leaving.StopAsync());
            Assert.DoesNotContain(leaving.Lines, line => line.Contains("Not all heads", StringComparison.Ordinal));

            await silos.ReplaceAsync(drain % silos.Count);
            await load.WaitForAnswersAsync(each: 1);

            // Else nothing would be left to give up the next time.
            await load.Client.Scheduler.ApplyAsync(Model, new PlanRequest("Even"), Stop).LastOrDefaultAsync(Stop);
        }

        await load.WaitForAnswersAsync(each: 1);
        output.WriteLine($"{Drains} drains and joins, {load.Answers} answers, the longest wait for one {load.Longest.TotalMilliseconds:0} ms");
    }
}
