namespace HeadCluster.System.Tests;

/// <summary>Silos that find each other in a Redis of their own. Tests are skipped where there is no redis-server.</summary>
internal sealed class RedisSilos : IAsyncDisposable
{
    private readonly List<SiloProcess> _silos = [];
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _args;

    private RedisSilos(RedisServer redis, Dictionary<string, string> environment, string[] args)
    {
        Redis = redis;
        _environment = environment;
        _args = args;
    }

    public RedisServer Redis { get; }

    public int Count => _silos.Count;

    public SiloProcess this[int index] => _silos[index];

    /// <summary>Starts silos, named silo-0 and so on, one after the other.</summary>
    /// <param name="count">How many.</param>
    /// <param name="environment">More environment variables than the tests have.</param>
    /// <param name="args">More arguments of each.</param>
    public static async Task<RedisSilos> StartAsync(int count, Dictionary<string, string> environment, params string[] args)
    {
        var silos = new RedisSilos(await RedisServer.StartAsync(), environment, args);
        try
        {
            for (var index = 0; index < count; index++)
            {
                silos._silos.Add(await SiloProcess.StartSchedulingAsync(primary: null, environment, silos.Arguments(index)));
            }

            return silos;
        }
        catch
        {
            await silos.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a silo where one has ended.</summary>
    public async Task ReplaceAsync(int index)
    {
        var ended = _silos[index];
        _silos[index] = await ended.StartAgainAsync(_environment, Arguments(index));
        await ended.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
        {
            await silo.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }

    private string[] Arguments(int index) =>
        ["--clustering", "Redis", "--connection-string", Redis.Address, "--advertised-address", "127.0.0.1", "--name", $"silo-{index}", .. _args];
}
