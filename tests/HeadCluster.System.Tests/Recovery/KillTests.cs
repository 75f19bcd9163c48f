using System.Globalization;

namespace HeadCluster.System.Tests.Recovery;

/// <summary>
/// Promise 5: nothing is lost. The long form is <c>HEADCLUSTER_KILLS=20 dotnet test -c Release</c>; it prints the longest time that a
/// client waited for an answer.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const string Model = "random:gpt2-small?layers=1";
    private const int Clients = 8;

    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("HEADCLUSTER_KILLS") ?? "3", CultureInfo.InvariantCulture);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kills_at_random_moments_under_load_fail_no_request_and_change_no_bit()
    {
        await using var redis = await RedisServer.StartAsync();
        var silos = new List<SiloProcess>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                silos.Add(await SiloProcess.StartAsync(primary: null, SiloProcess.Rehearsed, OnRedis(redis, i)));
            }

            await using var load = await Load.StartAsync(redis, Clients, Model, Inputs.Matrix(rows: 64, columns: 768));
            var random = new Random(7);
            for (var kill = 0; kill < Kills; kill++)
            {
                await load.WaitForAnswersAsync(random.Next(1, 60));
                var victim = random.Next(silos.Count);
                var dead = silos[victim];
                dead.Process.Kill();
                await dead.Process.WaitForExitAsync(Stop);
                silos[victim] = await dead.StartAgainAsync(SiloProcess.Rehearsed, OnRedis(redis, victim));
                await dead.DisposeAsync();
            }

            await load.WaitForAnswersAsync(Clients);
            output.WriteLine($"{Kills} kills, {load.Answers} answers, the longest wait for one {load.Longest.TotalSeconds:0.0} s");
        }
        finally
        {
            foreach (var silo in silos)
            {
                await silo.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Silo_that_hangs_delays_requests_and_fails_none()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await SiloProcess.StartAsync(primary: null, OnRedis(redis, 0));
        await using var second = await SiloProcess.StartAsync(primary: null, OnRedis(redis, 1));
        await using var third = await SiloProcess.StartAsync(primary: null, OnRedis(redis, 2));
        await using var load = await Load.StartAsync(redis, Clients, Model, Inputs.Matrix(rows: 64, columns: 768));
        await load.WaitForAnswersAsync(Clients * 3);

        await Programs.SignalAsync(second.Process, "STOP");

        // Each client waits at most for what the hung silo owed it, and then is served as before.
        await load.WaitForAnswersAsync(Clients * 10);
        output.WriteLine($"the longest wait for an answer {load.Longest.TotalSeconds:0.0} s");
    }

    private static string[] OnRedis(RedisServer redis, int index) =>
        ["--clustering", "Redis", "--connection-string", redis.Address, "--advertised-address", "127.0.0.1", "--name", $"silo-{index}"];
}
