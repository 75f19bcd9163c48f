using HeadCluster.Client;

namespace HeadCluster.System.Tests;

/// <summary>Clients that ask the same, one request after the other, and compare the bits of every answer.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly string _model;
    private readonly FloatTensor _input;
    private readonly Asker[] _askers;
    private Task[] _asking = [];
    private float[] _expected = [];
    private volatile bool _isEnded;

    private Load(string model, FloatTensor input, IEnumerable<HeadClusterClient> clients)
    {
        _model = model;
        _input = input;
        _askers = [.. clients.Select(client => new Asker(this, client))];
    }

    public int Answers => _askers.Sum(asker => asker.Answers);

    public TimeSpan Longest => _askers.Max(asker => asker.Longest);

    /// <summary>A client of the cluster, for other questions too.</summary>
    public HeadClusterClient Client => _askers[0].Client;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Connects clients, which begin to ask.</summary>
    /// <param name="redis">Where the list of silos is.</param>
    /// <param name="count">How many clients.</param>
    /// <param name="model">The model, whose first layer is asked.</param>
    /// <param name="input">What it is asked.</param>
    public static async Task<Load> StartAsync(RedisServer redis, int count, string model, FloatTensor input)
    {
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

        var load = new Load(model, input, clients);
        load._expected = (await load.Client.AttendAsync(model, 0, input, Stop)).Output.Span.ToArray();
        load._asking = Array.ConvertAll(load._askers, asker => Task.Run(asker.AskAsync, Stop));
        return load;
    }

    /// <summary>Waits until each client has got some more answers, or throws what one got instead.</summary>
    public async Task WaitForAnswersAsync(int each)
    {
        var answered = Task.WhenAll(_askers.Select(asker => asker.WaitForAnswersAsync(each)));
        await await Task.WhenAny([answered, .. _asking]).WaitAsync(Programs.Patience, Stop);
    }

    /// <summary>Waits for what was asked last too: a request without an end fails the test.</summary>
    public async ValueTask DisposeAsync()
    {
        _isEnded = true;
        await Task.WhenAll(_asking).WaitAsync(Programs.Patience);
    }

    private sealed class Asker(Load load, HeadClusterClient client)
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource _answered = new();

        public HeadClusterClient Client => client;

        public int Answers { get; private set; }

        public TimeSpan Longest { get; private set; }

        public async Task AskAsync()
        {
            await using (client)
            {
                while (!load._isEnded)
                {
                    var asked = TimeProvider.System.GetTimestamp();
                    var answer = await client.AttendAsync(load._model, 0, load._input, Stop);
                    Assert.Equal(load._expected, answer.Output.Span);
                    Answered(TimeProvider.System.GetElapsedTime(asked));
                }
            }
        }

        public async Task WaitForAnswersAsync(int more)
        {
            var (enough, next) = Next(more);
            while (Answers < enough)
            {
                await next;
                (_, next) = Next(0);
            }
        }

        private (int Answers, Task Next) Next(int more)
        {
            lock (_lock)
            {
                return (Answers + more, _answered.Task);
            }
        }

        private void Answered(TimeSpan waited)
        {
            TaskCompletionSource answered;
            lock (_lock)
            {
                Answers++;
                Longest = waited > Longest ? waited : Longest;
                (answered, _answered) = (_answered, new TaskCompletionSource());
            }

            answered.SetResult();
        }
    }
}
