using System.Collections.Concurrent;
using HeadCluster.Grains;

namespace HeadCluster.Scheduling;

/// <summary>What it costs to send from this silo to others, by sending to them from time to time.</summary>
internal sealed class LinkMeter
{
    /// <summary>Silos that are probed at a time: links are many, and most are alike.</summary>
    private const int Peers = 8;

    /// <summary>
    /// Messages of each size. Of small ones the median counts: what delays them, such as others on the silo's processors, delays requests too.
    /// Of large ones the quickest does, since what disturbs one is not the link.
    /// </summary>
    private const int Repetitions = 3;

    /// <summary>
    /// Of a link that is new, after as many that do not count: the first messages wait for the connection, and for what sends and receives
    /// them to be compiled.
    /// </summary>
    private const int FirstRepetitions = 10;

    /// <summary>Large enough that the round trip does not matter, 1 MiB.</summary>
    private const int PayloadLength = 1 << 18;

    private static readonly FloatTensor Nothing = new([], 0, 0);

    private readonly ConcurrentDictionary<SiloAddress, MeasuredLink> _links = new();
    private readonly Lazy<FloatTensor> _payload = new(() => new FloatTensor(new float[PayloadLength], 1, PayloadLength));
    private readonly SchedulingAgentClient _agents;
    private readonly SiloAddress _here;
    private readonly TimeProvider _time;
    private int _round;

    public LinkMeter(SchedulingAgentClient agents, ILocalSiloDetails silo, TimeProvider time)
    {
        _agents = agents;
        _here = silo.SiloAddress;
        _time = time;
    }

    /// <summary>Those measured to silos that are still there, ordered by address.</summary>
    public MeasuredLink[] Links => [.. _links.Values.OrderBy(link => link.To)];

    /// <summary>Measures links of which nothing is known.</summary>
    public async Task MeasureNewAsync(IEnumerable<SiloAddress> silos, CancellationToken cancellationToken)
    {
        SiloAddress[] unknown = [.. Others(silos).Where(silo => !_links.ContainsKey(silo)).Take(Peers)];
        await MeasureAsync(unknown, FirstRepetitions, cancellationToken);
        await MeasureAsync(unknown, FirstRepetitions, cancellationToken);
    }

    /// <summary>Measures some of the links anew, others each time, and forgets those to silos that have gone.</summary>
    public Task MeasureNextAsync(IReadOnlyCollection<SiloAddress> silos, CancellationToken cancellationToken)
    {
        foreach (var gone in _links.Keys.Except(silos))
        {
            _links.TryRemove(gone, out _);
        }

        var others = Others(silos);
        var first = others.Length == 0 ? 0 : _round++ * Peers % others.Length;
        return MeasureAsync(others.Skip(first).Concat(others.Take(first)).Take(Peers), Repetitions, cancellationToken);
    }

    private SiloAddress[] Others(IEnumerable<SiloAddress> silos) => [.. silos.Where(silo => !silo.Equals(_here)).Order()];

    // One after the other, so that they do not measure each other.
    private async Task MeasureAsync(IEnumerable<SiloAddress> silos, int repetitions, CancellationToken cancellationToken)
    {
        foreach (var silo in silos)
        {
            try
            {
                _links[silo] = await MeasureAsync(silo, repetitions, cancellationToken);
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
        var small = await TimesAsync(Nothing);
        var large = (await TimesAsync(_payload.Value))[0] - small[0];
        return new MeasuredLink(silo, small[repetitions / 2], sizeof(float) * PayloadLength / Math.Max(large.TotalSeconds, 1e-6));

        async Task<TimeSpan[]> TimesAsync(FloatTensor payload)
        {
            var times = new TimeSpan[repetitions];
            for (var i = 0; i < repetitions; i++)
            {
                times[i] = await TimeAsync(payload);
            }

            Array.Sort(times);
            return times;
        }

        async Task<TimeSpan> TimeAsync(FloatTensor payload)
        {
            var sent = _time.GetTimestamp();
            await agent.ReceiveAsync(payload, cancellationToken);
            return _time.GetElapsedTime(sent);
        }
    }
}
