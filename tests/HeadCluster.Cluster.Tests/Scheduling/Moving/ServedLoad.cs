using HeadCluster.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>Eight clients that ask a layer for the same, one request after the other, until they are told to stop.</summary>
internal sealed class ServedLoad : IAsyncDisposable
{
    private const int Clients = 8;

    private readonly CancellationTokenSource _end = new();
    private readonly Task _clients;
    private readonly float[] _expected;
    private int _answers;
    private int _wrong;
    private long _longestGap;

    private ServedLoad(HeadClusterTestCluster cluster, LayerId layer, FloatTensor input, float[] expected)
    {
        _expected = expected;
        _clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => AskAsync(cluster, layer, input))));
    }

    public int Answers => Volatile.Read(ref _answers);

    public int Wrong => Volatile.Read(ref _wrong);

    /// <summary>The longest that a client waited between two answers.</summary>
    public TimeSpan LongestGap => TimeSpan.FromTicks(Volatile.Read(ref _longestGap));

    public static async Task<ServedLoad> StartAsync(HeadClusterTestCluster cluster, LayerId layer, FloatTensor input, CancellationToken cancellationToken)
    {
        var expected = await cluster.Client.AttendAsync(layer.Model, layer.Layer, input, cancellationToken);
        return new ServedLoad(cluster, layer, input, expected.Output.Span.ToArray());
    }

    /// <summary>Waits for the requests that are under way, and throws if one failed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _clients;
    }

    private async Task AskAsync(HeadClusterTestCluster cluster, LayerId layer, FloatTensor input)
    {
        while (!_end.IsCancellationRequested)
        {
            var asked = TimeProvider.System.GetTimestamp();
            var result = await cluster.Client.AttendAsync(layer.Model, layer.Layer, input);
            var gap = TimeProvider.System.GetElapsedTime(asked).Ticks;
            for (var longest = Volatile.Read(ref _longestGap); gap > longest;)
            {
                longest = Interlocked.CompareExchange(ref _longestGap, gap, longest);
            }

            Interlocked.Increment(ref _answers);
            if (!result.Output.Span.SequenceEqual(_expected))
            {
                Interlocked.Increment(ref _wrong);
            }
        }
    }
}
