using HeadCluster.Client;

namespace HeadCluster.System.Tests;

/// <summary>Clients that ask the same, one request after the other, and compare the bits of every answer.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
    private readonly SemaphoreSlim _answered = new(0);
    private readonly Lock _lock = new();
    private readonly List<Task> _clients = [];
    private readonly string _model;
    private readonly FloatTensor _input;
    private float[] _expected = [];

    private Load(string model, FloatTensor input)
    {
        _model = model;
        _input = input;
    }

    public int Answers { get; private set; }

    public TimeSpan Longest { get; private set; }

    /// <summary>A client of the cluster that asks nothing by itself.</summary>
    public HeadClusterClient Client { get; private set; } = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Connects clients, which begin to ask.</summary>
    /// <param name="redis">Where the list of silos is.</param>
    /// <param name="count">How many clients.</param>
    /// <param name="model">The model, whose first layer is asked.</param>
    /// <param name="input">What it is asked.</param>
    public static async Task<Load> StartAsync(RedisServer redis, int count, string model, FloatTensor input)
    {
        var load = new Load(model, input);
        var clients = new List<HeadClusterClient>();
        for (var i = 0; i < count; i++)
        {
            clients.Add(await HeadClusterClient.ConnectAsync(
                options =>
                {
                    options.Discovery = GatewayDiscovery.Redis;
                    options.ConnectionString = redis.Address;
                },
                Stop));
        }

        load.Client = clients[0];
        load._expected = (await clients[0].AttendAsync(model, 0, input, Stop)).Output.Span.ToArray();
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
                    answer = await client.AttendAsync(_model, 0, _input, _end.Token);
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
