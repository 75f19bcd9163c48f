using System.Globalization;

namespace HeadCluster.System.Tests.Scheduling;

/// <summary>
/// Heads move between processes while they are asked. The long form is <c>HEADCLUSTER_MOVES=100 dotnet test -c Release</c>; its silos
/// rehearse, and it prints the longest move and the longest time that a client waited for an answer.
/// </summary>
public sealed class MovingTests(ITestOutputHelper output)
{
    private const int Clients = 8;
    private const int Heads = 12;

    private static readonly LayerId Layer = new("random:gpt2-small?layers=1", 0);
    private static readonly string? Long = Environment.GetEnvironmentVariable("HEADCLUSTER_MOVES");
    private static readonly int Moves = int.Parse(Long ?? "12", CultureInfo.InvariantCulture);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Heads_that_move_under_load_fail_no_request_and_change_no_bit()
    {
        await using var silos = await RedisSilos.StartAsync(3, Long is null ? SiloProcess.Quick : SiloProcess.Rehearsed, "--no-rebalance");
        await using var load = await Load.StartAsync(silos.Redis, Clients, Load.Layer(Layer.Model, Inputs.Matrix(rows: 64, columns: 768)));
        var longest = TimeSpan.Zero;
        for (var move = 0; move < Moves; move++)
        {
            var status = await load.Client.StatusAsync(Stop);
            var head = status.Heads.Single(head => head.Head == Layer.Head(move % Heads));
            var others = status.Silos.Select(silo => silo.Address).Where(silo => !silo.Equals(head.Silo)).Order().ToArray();
            var report = await load.Client.Scheduler.MoveAsync(head.Head, others[move % others.Length], Stop);
            Assert.Equal((head.Silo, others[move % others.Length]), (report.From, report.To));
            longest = report.Elapsed > longest ? report.Elapsed : longest;
            await load.WaitForAnswersAsync(each: 1);
        }

        output.WriteLine(
            $"{Moves} moves, {load.Answers} answers, the longest move {longest.TotalMilliseconds:0} ms, the longest wait for an answer {load.Longest.TotalMilliseconds:0} ms");
    }
}
