namespace HeadCluster.Kernels;

/// <summary>Parts of work that the threads of a pool take one by one.</summary>
internal sealed class ComputeJob
{
    private readonly int _parts;
    private readonly int _leading;
    private readonly ManualResetEventSlim? _leadingEnded;
    private readonly Action<int, CancellationToken> _work;
    private readonly CancellationToken _cancellationToken;

    // The awaiter must not go on on a compute thread.
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _cancelled;
    private Exception? _error;
    private int _taken;
    private int _ended;

    public ComputeJob(int parts, int leading, ComputeOrder order, Action<int, CancellationToken> work, CancellationToken cancellationToken)
    {
        Order = order;
        _parts = parts;
        _leading = leading;
        _leadingEnded = leading > 0 ? new ManualResetEventSlim() : null;
        _work = work;
        _cancellationToken = cancellationToken;
    }

    /// <summary>When it came, as a timestamp of the system's time.</summary>
    public long Came { get; } = TimeProvider.System.GetTimestamp();

    public ComputeOrder Order { get; }

    public bool HasFailed => Volatile.Read(ref _error) is not null;

    /// <summary>Ends when no part runs any more, in success, with the first error, or cancelled.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Has the job end at once where it is cancelled before a thread has begun with it.</summary>
    public void EndOnceCancelled() => _cancelled = _cancellationToken.UnsafeRegister(
        static (job, token) => ((ComputeJob)job!).EndUnlessBegun(new OperationCanceledException(token)), this);

    /// <summary>Ends the job with an error, unless a thread has begun with it, which then ends it. A thread that comes later finds no part.</summary>
    public void EndUnlessBegun(Exception error)
    {
        if (Interlocked.CompareExchange(ref _taken, _parts, 0) == 0)
        {
            Volatile.Write(ref _error, error);
            Complete();
        }
    }

    /// <summary>Computes parts until none is left; several threads may do so at once.</summary>
    /// <returns>Whether this thread ended the last part that ran: it has to see to it that that is told.</returns>
    public bool Serve(ComputePool pool)
    {
        var ended = false;
        int part;
        while ((part = Interlocked.Increment(ref _taken) - 1) < _parts)
        {
            if (part >= _leading)
            {
                // Parts are taken in their order, so that those waited for are being computed, or have ended.
                _leadingEnded?.Wait();
            }

            // After an error or a cancellation nobody wants the remaining parts.
            if (Volatile.Read(ref _error) is null)
            {
                try
                {
                    _cancellationToken.ThrowIfCancellationRequested();
                    pool.Run(_work, part, _cancellationToken);
                }
                catch (Exception exception)
                {
                    // Handed to whoever awaits the work; a compute thread outlives every kind of failure of its work.
                    Interlocked.CompareExchange(ref _error, exception, null);
                }
            }

            var count = Interlocked.Increment(ref _ended);
            if (count == _leading)
            {
                _leadingEnded?.Set();
            }

            ended |= count == _parts;
        }

        return ended;
    }

    /// <summary>Tells the awaiter.</summary>
    public void Complete()
    {
        // Without waiting: a cancellation that is under way finds the job begun.
        _cancelled.Unregister();
        switch (_error)
        {
            case null:
                _completion.SetResult();
                break;
            case OperationCanceledException cancelled:
                _completion.SetCanceled(cancelled.CancellationToken);
                break;
            default:
                _completion.SetException(_error);
                break;
        }
    }
}
