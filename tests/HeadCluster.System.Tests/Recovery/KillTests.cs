using System.Globalization;

namespace HeadCluster.System.Tests.Recovery;

/// <summary>
/// Promise 5: nothing is lost. The long form is <c>HEADCLUSTER_KILLS=20 dotnet test -c Release</c>; its silos rehearse, and
/// it prints the longest time that a client waited for an answer.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1";
    private const int Clients = 8;

    private static readonly string? Long = Environment.GetEnvironmentVariable("HEADCLUSTER_KILLS");
    private static readonly int Kills = int.Parse(Long ?? "5", CultureInfo.InvariantCulture);

    private static Dictionary<string, string> SiloEnvironment => Long is null ? SiloProcess.Quick : SiloProcess.Rehearsed;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kills_at_random_moments_under_load_fail_no_request_and_change_no_bit()
    {
        await using var silos = await RedisSilos.StartAsync(3, SiloEnvironment);
        await using var load = await Load.StartAsync(silos.Redis, Clients, Load.Layer(Model, Inputs.Matrix(rows: 64, columns: 768)));
        await KillAsync(silos, load, seed: 7);
        output.WriteLine($"{Kills} kills, {load.Answers} answers, the longest wait for one {load.Longest.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Generations_give_the_same_tokens_while_silos_with_what_heads_keep_of_them_are_killed()
    {
        await using var silos = await RedisSilos.StartAsync(3, SiloEnvironment);
        await using var load = await Load.StartAsync(silos.Redis, Clients, Load.Generation(Inputs.Model, [1, 2, 0, 1, 2, 0], steps: 6));
        await KillAsync(silos, load, seed: 11);
        output.WriteLine($"{Kills} kills, {load.Answers} generations, the longest took {load.Longest.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Silo_that_hangs_delays_requests_and_fails_none()
    {
        await using var silos = await RedisSilos.StartAsync(3, environment: [], "--no-rebalance");
        await using var load = await Load.StartAsync(silos.Redis, Clients, Load.Layer(Model, Inputs.Matrix(rows: 64, columns: 768)));
        await load.WaitForAnswersAsync(each: 3);

        await Programs.SignalAsync(silos[1].Process, "STOP");

        // Each client waits at most for what the hung silo owed it, and then is served as before.
        await load.WaitForAnswersAsync(each: 10);
        output.WriteLine($"the longest wait for an answer {load.Longest.TotalSeconds:0.0} s");
    }

    private static async Task KillAsync(RedisSilos silos, Load load, int seed)
    {
        var random = new Random(seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            await load.WaitForAnswersAsync(each: random.Next(1, 8));
            var victim = random.Next(silos.Count);
            silos[victim].Process.Kill();
            await silos[victim].Process.WaitForExitAsync(Stop);
            await silos.ReplaceAsync(victim);
        }

        await load.WaitForAnswersAsync(each: 1);
    }
}
