using System.Globalization;
using HeadCluster.Hosting;
using HeadCluster.Kernels;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>
/// Keys and values of the sequences that heads of this silo keep from request to request, within a limit of memory. A request takes a cache
/// out, and nobody else finds it until it is given back: another request of the same sequence meanwhile finds it lost, and is sent as a whole.
/// </summary>
/// <remarks>
/// What is lost is never more than time. So nothing is taken from a sequence that goes on for another's sake: both would then lose it at every step.
/// One of which not all heads find room is not worth what the others keep.
/// </remarks>
internal sealed class SequenceCaches : IDisposable
{
    /// <summary>What travels with one head at most, in bytes: a message that is too large would end the connection of two silos.</summary>
    private const long MostTravelling = 16 << 20;

    /// <summary>Of a sequence whose end nobody told, as where a silo died. Its next request may be one that takes long in the layers before.</summary>
    private static readonly TimeSpan LongestPause = TimeLimits.Longest;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Sequence> _sequences = [];
    private readonly long _limit;
    private readonly SiloAddress _silo;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private long _bytes;

    public SequenceCaches(IOptions<HeadClusterOptions> options, ILocalSiloDetails silo, TimeProvider time)
    {
        _limit = options.Value.SequenceMemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10;
        _silo = silo.SiloAddress;
        _time = time;
        _sweep = time.CreateTimer(_ => Sweep(), state: null, LongestPause / 10, LongestPause / 10);
    }

    /// <summary>Memory of all caches, those that were taken out included, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Takes a head's keys and values of the positions before a request out.</summary>
    /// <returns>They, to be kept or disposed; null if the request begins a sequence for which there is no room.</returns>
    /// <exception cref="HeadClusterException">They are not here.</exception>
    public KeptCache? Take(HeadId id, CachedSequence sequence, AttentionHead head)
    {
        if (Find(id, sequence) is { } found)
        {
            return found;
        }

        if (sequence.Past > 0)
        {
            throw new HeadClusterException(HeadClusterErrorKind.StateLost, string.Create(
                CultureInfo.InvariantCulture,
                $"head {id} on silo {_silo} does not have the {sequence.Past} positions before of sequence {sequence.Id}; send it from position 0 on"));
        }

        if (Create(head, sequence.Capacity) is { } cache)
        {
            return new KeptCache(this, id, sequence.Id, cache);
        }

        Forget(sequence.Id);
        return null;
    }

    /// <summary>Takes what a head has of all sequences out, to travel with it: those that were asked for last, as many as one message should hold.</summary>
    public SequenceState[] TakeAll(HeadId head)
    {
        var states = new List<SequenceState>();
        var bytes = 0L;
        foreach (var (id, cache) in RemoveAll(head))
        {
            var columns = cache.HeadDim + cache.ValueDim;
            var taken = sizeof(float) * (long)cache.Length * columns;
            if (bytes + taken <= MostTravelling)
            {
                bytes += taken;
                var rows = GC.AllocateUninitializedArray<float>(cache.Length * columns);
                cache.CopyTo(rows);
                states.Add(new SequenceState(id, cache.Capacity, new FloatTensor(rows, cache.Length, columns)));
            }

            Drop(cache);
        }

        return [.. states];
    }

    /// <summary>Gives a head back what it had of sequences where it was. What there is no room for is lost, as is what is not of the head's sizes.</summary>
    public void Restore(HeadId id, SequenceState[] states, AttentionHead head)
    {
        var (headDim, columns) = (head.Shape.HeadDim, head.Shape.HeadDim + head.Shape.ValueDim);
        foreach (var (sequence, capacity, rows) in states)
        {
            if (rows.Columns == columns && rows.Rows <= capacity && Create(head, capacity) is { } cache)
            {
                cache.Append(rows.Span, columns, rows.Span[headDim..], columns, rows.Rows);
                Keep(id, sequence, cache);
            }
        }
    }

    /// <summary>Lets go of a sequence.</summary>
    public void Forget(Guid sequence)
    {
        lock (_lock)
        {
            if (_sequences.Remove(sequence, out var ended))
            {
                foreach (var cache in ended.Caches.Values)
                {
                    Release(cache);
                }
            }
        }
    }

    /// <summary>Lets go of what a head has of all sequences.</summary>
    public void Forget(HeadId head)
    {
        foreach (var (_, cache) in RemoveAll(head))
        {
            Drop(cache);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _sweep.Dispose();

    // What a head has of sequences, those first that were asked for last. It is the caller's from here on, and counts until that drops it.
    private List<(Guid Sequence, KvCache Cache)> RemoveAll(HeadId head)
    {
        lock (_lock)
        {
            var removed = new List<(Guid, KvCache)>();
            foreach (var (id, sequence) in _sequences.OrderByDescending(sequence => sequence.Value.LastAsked))
            {
                if (sequence.Caches.Remove(head, out var cache))
                {
                    removed.Add((id, cache));
                }
            }

            return removed;
        }
    }

    // Null if there is no room.
    private KvCache? Create(AttentionHead head, int capacity)
    {
        lock (_lock)
        {
            var room = _limit - _bytes;
            if (KvCache.SizeOf(head.Shape.HeadDim, head.Shape.ValueDim, capacity) > room)
            {
                return null;
            }

            var cache = head.CreateCache(capacity);
            if (cache.Bytes > room)
            {
                // The pool of arrays gave larger ones.
                cache.Dispose();
                return null;
            }

            _bytes += cache.Bytes;
            return cache;
        }
    }

    private KeptCache? Find(HeadId head, CachedSequence sequence)
    {
        lock (_lock)
        {
            if (!_sequences.TryGetValue(sequence.Id, out var kept) || !kept.Caches.Remove(head, out var cache))
            {
                return null;
            }

            if (cache.Length < sequence.Past || cache.Capacity < sequence.Capacity)
            {
                Release(cache);
                return null;
            }

            // A request that is sent again may have been computed before.
            cache.Truncate(sequence.Past);
            return new KeptCache(this, head, sequence.Id, cache);
        }
    }

    private void Keep(HeadId head, Guid id, KvCache cache)
    {
        lock (_lock)
        {
            if (!_sequences.TryGetValue(id, out var sequence))
            {
                _sequences[id] = sequence = new Sequence();
            }

            sequence.LastAsked = _time.GetTimestamp();
            if (sequence.Caches.Remove(head, out var other))
            {
                Release(other);
            }

            sequence.Caches[head] = cache;
        }
    }

    private void Drop(KvCache cache)
    {
        lock (_lock)
        {
            Release(cache);
        }
    }

    private void Release(KvCache cache)
    {
        _bytes -= cache.Bytes;
        cache.Dispose();
    }

    private void Sweep()
    {
        lock (_lock)
        {
            foreach (var (id, _) in _sequences.Where(sequence => _time.GetElapsedTime(sequence.Value.LastAsked) >= LongestPause).ToArray())
            {
                Forget(id);
            }
        }
    }

    /// <summary>A cache that one request has for itself. Disposed without being kept, it is let go of: what a request left that failed is not known.</summary>
    internal sealed class KeptCache(SequenceCaches caches, HeadId head, Guid sequence, KvCache cache) : IDisposable
    {
        private bool _kept;

        /// <summary>Keys and values of the positions before.</summary>
        public KvCache Cache => cache;

        /// <summary>Gives it back for the next request of the sequence, with what this one added.</summary>
        public void Keep()
        {
            _kept = true;
            caches.Keep(head, sequence, cache);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (!_kept)
            {
                caches.Drop(cache);
            }
        }
    }

    private sealed class Sequence
    {
        public Dictionary<HeadId, KvCache> Caches { get; } = [];

        // As a timestamp.
        public long LastAsked { get; set; }
    }
}
