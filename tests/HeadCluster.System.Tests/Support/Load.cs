using HeadCluster.Client;

namespace HeadCluster.System.Tests;

/// <summary>Clients that ask the same, one request after the other, and compare the bits of every answer.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly Question _question;
    private readonly Asker[] _askers;
    private Task[] _asking = [];
    private float[] _expected = [];
    private volatile bool _isEnded;

    private Load(Question question, IEnumerable<HeadClusterClient> clients)
    {
        _question = question;
        _askers = [.. clients.Select(client => new Asker(this, client))];
    }

    /// <summary>Asks something of the cluster, and tells the numbers of the answer.</summary>
    public delegate Task<float[]> Question(HeadClusterClient client);

    public int Answers => _askers.Sum(asker => asker.Answers);

    public TimeSpan Longest => _askers.Max(asker => asker.Longest);

    /// <summary>A client of the cluster, for other questions too.</summary>
    public HeadClusterClient Client => _askers[0].Client;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Asks a model's first layer.</summary>
    public static Question Layer(string model, FloatTensor input) =>
        async client => (await client.AttendAsync(model, 0, input, Stop)).Output.Span.ToArray();

    /// <summary>Has a model go on with a prompt: the tokens, each with its probability.</summary>
    public static Question Generation(string model, int[] prompt, int steps) => async client =>
    {
        var tokens = await client.GenerateAsync(model, prompt, steps, Stop).ToListAsync(Stop);
        return [.. tokens.SelectMany(token => new[] { token.Token, token.Probability })];
    };

    /// <summary>Connects clients, which begin to ask.</summary>
    /// <param name="redis">Where the list of silos is.</param>
    /// <param name="count">How many clients.</param>
    /// <param name="question">What each asks again and again.</param>
    public static async Task<Load> StartAsync(RedisServer redis, int count, Question question)
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

        var load = new Load(question, clients);
        load._expected = await question(load.Client);
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
                    Assert.Equal(load._expected, await load._question(client));
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
