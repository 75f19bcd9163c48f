using System.Globalization;
using HeadCluster.Client;

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
                silos.Add(await SiloProcess.StartAsync(primary: null, OnRedis(redis, i)));
            }

            await using var load = await Load.StartAsync(redis);
            var random = new Random(7);
            for (var kill = 0; kill < Kills; kill++)
            {
                await load.WaitForAnswersAsync(random.Next(1, 60));
                var victim = random.Next(silos.Count);
                var dead = silos[victim];
                dead.Process.Kill();
                await dead.Process.WaitForExitAsync(Stop);
                silos[victim] = await dead.StartAgainAsync(OnRedis(redis, victim));
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
        await using var load = await Load.StartAsync(redis);
        await load.WaitForAnswersAsync(Clients * 3);

        await Programs.SignalAsync(second.Process, "STOP");

        // Each client waits at most for what the hung silo owed it, and then is served as before.
        await load.WaitForAnswersAsync(Clients * 10);
        output.WriteLine($"the longest wait for an answer {load.Longest.TotalSeconds:0.0} s");
    }

    private static string[] OnRedis(RedisServer redis, int index) =>
        ["--clustering", "Redis", "--connection-string", redis.Address, "--advertised-address", "127.0.0.1", "--name", $"silo-{index}"];

    /// <summary>Clients that ask the same, one request after the other, and compare the bits of every answer.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        private readonly SemaphoreSlim _answered = new(0);
        private readonly Lock _lock = new();
        private readonly List<Task> _clients = [];
        private readonly FloatTensor _input = Inputs.Matrix(rows: 64, columns: 768);
        private float[] _expected = [];

        public int Answers { get; private set; }

        public TimeSpan Longest { get; private set; }

        public static async Task<Load> StartAsync(RedisServer redis)
        {
            var load = new Load();
            var clients = new List<HeadClusterClient>();
            for (var i = 0; i < Clients; i++)
            {
                clients.Add(await HeadClusterClient.ConnectAsync(
                    options =>
                    {
                        options.Discovery = GatewayDiscovery.Redis;
                        options.ConnectionString = redis.Address;
                    },
                    Stop));
            }

            load._expected = (await clients[0].AttendAsync(Model, 0, load._input, Stop)).Output.Span.ToArray();
            load._clients.AddRange(clients.Select(client => Task.Run(() => load.AskAsync(client), Stop)));
            return load;
        }

        /// <summary>Waits for some more answers, or throws what a client got instead of one.</summary>
        public async Task WaitForAnswersAsync(int count)
        {
            var failed = Task.WhenAny(_clients).Unwrap();
            for (var i = 0; i < count; i++)
            {
                await await Task.WhenAny(_answered.WaitAsync(Stop), failed);
            }
        }

        /// <inheritdoc/>
        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await Task.WhenAll(_clients);
            _end.Dispose();
            _answered.Dispose();
        }

        private async Task AskAsync(HeadClusterClient client)
        {
            await using (client)
            {
                while (!_end.IsCancellationRequested)
                {
                    var asked = TimeProvider.System.GetTimestamp();
                    AttentionResult answer;
                    try
                    {
                        answer = await client.AttendAsync(Model, 0, _input, _end.Token);
                    }
                    catch (OperationCanceledException) when (_end.IsCancellationRequested)
                    {
                        return;
                    }

                    Assert.Equal(_expected, answer.Output.Span);
                    lock (_lock)
                    {
                        Answers++;
                        var waited = TimeProvider.System.GetElapsedTime(asked);
                        Longest = waited > Longest ? waited : Longest;
                    }

                    _answered.Release();
                }
            }
        }
    }
}
