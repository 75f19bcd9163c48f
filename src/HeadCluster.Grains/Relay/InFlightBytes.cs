using System.Globalization;
using HeadCluster.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>
/// Bounds the bytes that this silo has under way to and from each silo. What does not fit waits in order; when too much waits
/// already, a request is refused at once, so that its caller can go elsewhere or come back.
/// </summary>
internal sealed class InFlightBytes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SiloAddress, Traffic> _silos = [];
    private readonly long _most;
    private readonly long _mostWaiting;
    private readonly TimeProvider _time;

    public InFlightBytes(IOptions<HeadClusterOptions> options, TimeProvider time)
    {
        _most = options.Value.MaxInFlightBytesPerSilo;
        _mostWaiting = options.Value.MaxWaitingBytesPerSilo;
        _time = time;
    }

    /// <summary>Waits until the bytes may be sent; they are under way until the result is disposed.</summary>
    /// <param name="silo">To which silo.</param>
    /// <param name="bytes">Bytes out and back. More than may be under way at all go alone.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HeadClusterException">Too much is waiting already.</exception>
    public async ValueTask<Passage> EnterAsync(SiloAddress silo, long bytes, CancellationToken cancellationToken)
    {
        var passage = new Passage(this, silo, Math.Min(bytes, _most), _time.GetTimestamp());
        lock (_lock)
        {
            if (!_silos.TryGetValue(silo, out var traffic))
            {
                _silos.Add(silo, traffic = new Traffic());
            }

            if (traffic.Waiting.Count == 0 && passage.Bytes <= _most - traffic.Bytes)
            {
                Enter(passage, traffic);
                return passage;
            }

            // One may always wait, however large it is.
            if (traffic.Waiting.Count > 0 && passage.Bytes > _mostWaiting - traffic.WaitingBytes)
            {
                throw Busy(silo, traffic);
            }

            // Whoever leaves goes on with its own work first.
            passage.Entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            traffic.Waiting.AddLast(passage);
            traffic.WaitingBytes += passage.Bytes;
        }

        using var cancellation = cancellationToken.Register(() => Abandon(passage, cancellationToken));
        await passage.Entered.Task;
        return passage;
    }

    private HeadClusterException Busy(SiloAddress silo, Traffic traffic)
    {
        // As long as the first in line has waited: the line is at least that slow.
        var waited = _time.GetElapsedTime(traffic.Waiting.First!.Value.Since);
        var after = waited < TimeSpan.FromMilliseconds(100) ? TimeSpan.FromMilliseconds(100) : waited;
        return new HeadClusterException(HeadClusterErrorKind.Busy, string.Create(
            CultureInfo.InvariantCulture,
            $"{traffic.Bytes:N0} bytes are under way to silo {silo} and {traffic.WaitingBytes:N0} wait, of at most {_mostWaiting:N0}; retry after {after.TotalSeconds:0.0} s"))
        {
            RetryAfter = after,
        };
    }

    private void Leave(Passage passage)
    {
        lock (_lock)
        {
            var traffic = _silos[passage.Silo];
            traffic.Bytes -= passage.Bytes;
            Admit(traffic);

            // Silos come and go.
            if (traffic.Bytes == 0)
            {
                _silos.Remove(passage.Silo);
            }
        }
    }

    private void Abandon(Passage passage, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // It may have entered meanwhile.
            if (_silos.TryGetValue(passage.Silo, out var traffic) && traffic.Waiting.Remove(passage))
            {
                traffic.WaitingBytes -= passage.Bytes;
                passage.Entered!.SetCanceled(cancellationToken);

                // It may have been what kept smaller ones behind it waiting.
                Admit(traffic);
            }
        }
    }

    private void Admit(Traffic traffic)
    {
        while (traffic.Waiting.First is { } next && next.Value.Bytes <= _most - traffic.Bytes)
        {
            traffic.Waiting.RemoveFirst();
            traffic.WaitingBytes -= next.Value.Bytes;
            Enter(next.Value, traffic);
            next.Value.Entered!.SetResult();
        }
    }

    private static void Enter(Passage passage, Traffic traffic)
    {
        passage.IsAlone = traffic.Bytes == 0;
        traffic.Last?.IsAlone &= passage.IsAlone;
        traffic.Last = passage;
        traffic.Bytes += passage.Bytes;
    }

    private sealed class Traffic
    {
        public long Bytes;
        public long WaitingBytes;
        public readonly LinkedList<Passage> Waiting = new();

        /// <summary>Who entered last: if anybody is alone, it is this one.</summary>
        public Passage? Last;
    }

    /// <summary>Bytes that are under way until it is disposed.</summary>
    internal sealed class Passage(InFlightBytes owner, SiloAddress silo, long bytes, long since) : IDisposable
    {
        private InFlightBytes? _owner = owner;

        public SiloAddress Silo => silo;

        /// <summary>Whether nothing else of this silo's has been under way with it so far.</summary>
        public bool IsAlone { get; set; }

        public long Bytes => bytes;

        public long Since => since;

        /// <summary>Null for one that need not wait.</summary>
        public TaskCompletionSource? Entered { get; set; }

        public void Dispose() => Interlocked.Exchange(ref _owner, null)?.Leave(this);
    }
}
