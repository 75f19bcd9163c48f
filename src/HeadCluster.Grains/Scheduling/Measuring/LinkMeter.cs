using System.Collections.Concurrent;
using HeadCluster.Grains;

namespace HeadCluster.Scheduling;

/// <summary>What it costs to send from this silo to others: by messages now and then, and by the requests that travel.</summary>
internal sealed class LinkMeter
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>Silos that messages go to at a time: links are many, and most are alike.</summary>
    private const int Peers = 8;

    /// <summary>Messages of each size. The median counts: what delays them, such as others on the silo's processors, delays requests too.</summary>
    private const int Repetitions = 3;

    /// <summary>
    /// Of a link that is new, after as many that do not count: the first messages wait for the connection, and for what sends and receives
    /// them to be compiled.
    /// </summary>
    private const int FirstRepetitions = 10;

    /// <summary>Large enough that the round trip does not matter, 1 MiB.</summary>
    private const int PayloadLength = 1 << 18;

    /// <summary>What seems faster is noise: no network between machines is, and no socket within one.</summary>
    private const double MostBytesPerSecond = 1e10;

    private static readonly FloatTensor Nothing = new([], 0, 0);

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<SiloAddress, UsedLink> _links = new();
    private readonly Lazy<FloatTensor> _payload = new(() => new FloatTensor(new float[PayloadLength], 1, PayloadLength));
    private readonly SchedulingAgentClient _agents;
    private readonly SiloAddress _here;
    private readonly TimeProvider _time;
    private long _began;
    private Task _measuring = Task.CompletedTask;

    public LinkMeter(SchedulingAgentClient agents, ILocalSiloDetails silo, TimeProvider time)
    {
        _agents = agents;
        _here = silo.SiloAddress;
        _time = time;
        _began = time.GetTimestamp();
    }

    /// <summary>Those measured to silos that are still there, ordered by address.</summary>
    public MeasuredLink[] Links => [.. _links.Values.Select(link => link.Measured).OrderBy(link => link.To)];

    /// <summary>A request has travelled, alone.</summary>
    /// <param name="to">The silo that it went to.</param>
    /// <param name="bytes">What its caller had to wait for the travel of, out and back.</param>
    /// <param name="elapsed">What it took beyond what that silo did for it.</param>
    public void Add(SiloAddress to, long bytes, TimeSpan elapsed)
    {
        if (_links.TryGetValue(to, out var link))
        {
            link.Add(bytes, elapsed);
        }
    }

    /// <summary>Measures links of which nothing is known.</summary>
    public async Task MeasureNewAsync(IEnumerable<SiloAddress> silos, CancellationToken cancellationToken)
    {
        SiloAddress[] unknown = [.. Others(silos).Where(silo => !_links.ContainsKey(silo)).Take(Peers)];
        await MeasureAsync(unknown, FirstRepetitions, cancellationToken);
        await MeasureAsync(unknown, FirstRepetitions, cancellationToken);
    }

    /// <summary>
    /// Once a period, measures some of the links anew, those first of which the longest nothing was heard, and forgets those to silos that have
    /// gone.
    /// </summary>
    /// <returns>When that is done, which takes long where a silo does not answer.</returns>
    public Task MeasureAgainAsync(IReadOnlyCollection<SiloAddress> silos)
    {
        lock (_lock)
        {
            if (!_measuring.IsCompleted || _time.GetElapsedTime(_began) < Period)
            {
                return _measuring;
            }

            _began = _time.GetTimestamp();
            foreach (var gone in _links.Keys.Except(silos))
            {
                _links.TryRemove(gone, out _);
            }

            // Requests say more than messages, and need none beside them.
            var silent = _links.Where(link => link.Value.Silence >= Period).OrderByDescending(link => link.Value.Silence).Take(Peers);
            return _measuring = MeasureAsync([.. silent.Select(link => link.Key)], Repetitions, CancellationToken.None);
        }
    }

    private IEnumerable<SiloAddress> Others(IEnumerable<SiloAddress> silos) => silos.Where(silo => !silo.Equals(_here)).Order();

    // One after the other, so that they do not measure each other.
    private async Task MeasureAsync(SiloAddress[] silos, int repetitions, CancellationToken cancellationToken)
    {
        foreach (var silo in silos)
        {
            try
            {
                _links[silo] = new UsedLink(await MeasureAsync(silo, repetitions, cancellationToken), _time);
            }
            catch (Exception exception) when (SiloLoss.Is(exception) && !cancellationToken.IsCancellationRequested)
            {
                // It is leaving, or not there yet.
            }
        }
    }

    private async Task<MeasuredLink> MeasureAsync(SiloAddress silo, int repetitions, CancellationToken cancellationToken)
    {
        var agent = _agents.On(silo);
        var small = await MedianAsync(Nothing);
        var large = await MedianAsync(_payload.Value) - small;
        const double Bytes = sizeof(float) * PayloadLength;
        return new MeasuredLink(silo, small, Bytes / Math.Max(large.TotalSeconds, Bytes / MostBytesPerSecond), Slowdown: null);

        async Task<TimeSpan> MedianAsync(FloatTensor payload)
        {
            var times = new TimeSpan[repetitions];
            for (var i = 0; i < repetitions; i++)
            {
                var sent = _time.GetTimestamp();
                await agent.ReceiveAsync(payload, cancellationToken);
                times[i] = _time.GetElapsedTime(sent);
            }

            Array.Sort(times);
            return times[repetitions / 2];
        }
    }
}
