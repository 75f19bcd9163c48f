namespace HeadCluster.Kernels;

/// <summary>
/// Threads of its own for kernels, bounded in number, so that computing never takes the threads that sockets, timers and
/// liveness probes run on.
/// </summary>
public class ComputePool : IDisposable
{
    /// <summary>
    /// Work of fewer floating-point operations runs on the caller's thread: at a hundred GFLOP/s it takes twenty microseconds,
    /// about what handing it to another thread and back would cost.
    /// </summary>
    public const long InlineOperations = 2_000_000;

    /// <summary>Parts of rows for each thread: enough that one that is held up leaves its share to the others.</summary>
    private const int PartsPerThread = 4;

    [ThreadStatic]
    private static TimeSpan _startDelay;

    [ThreadStatic]
    private static TimeSpan? _wakeDelay;

    private readonly ComputeQueue _queue = new();
    private readonly Thread[] _threads;
    private int _running;
    private long _turns;

    /// <summary>Starts the threads, and lets the process's others go before them where both want a core.</summary>
    /// <param name="threads">How many, at least 1.</param>
    /// <param name="pinned">
    /// Whether each thread keeps to a processor of its own, as far as there are enough (Linux): for a process that has its processors for itself.
    /// Several processes that share a machine would be put on the same ones, and leave others idle.
    /// </param>
    public ComputePool(int threads, bool pinned = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        IsPinned = pinned;
        TimeSlice.ShortenAll();
        _threads = new Thread[threads];
        for (var i = 0; i < threads; i++)
        {
            var thread = i;
            _threads[i] = new Thread(() => Serve(thread)) { IsBackground = true, Name = $"HeadCluster compute {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>The number of threads.</summary>
    public int ThreadCount => _threads.Length;

    /// <summary>Whether each thread keeps to a processor, where that can be had.</summary>
    public bool IsPinned { get; }

    /// <summary>Parts of work that are being computed at this moment, on the pool's threads or inline.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>
    /// How long the calling thread took to go on with the work that it runs, which was waiting when it ended what it did before: what else
    /// the processor did meanwhile. Zero for work that came later, since waking takes the same for little work as for much, and on a thread
    /// that is none of a pool's.
    /// </summary>
    public static TimeSpan StartDelay => _startDelay;

    /// <summary>
    /// How long the calling thread, which had nothing to do, took to begin with the work that it runs, from when that came; null for work
    /// that had to wait for it, and on a thread that is none of a pool's. Where others share the processor, a thread that wakes waits for them first.
    /// </summary>
    public static TimeSpan? WakeDelay => _wakeDelay;

    /// <summary>The turn that was taken last; 0 if none was.</summary>
    public long LastTurn => Volatile.Read(ref _turns);

    /// <summary>A turn after all that were taken before, for the work of one request.</summary>
    public long TakeTurn() => Interlocked.Increment(ref _turns);

    /// <summary>Runs work on one of the threads, or inline if it is small.</summary>
    /// <param name="operations">Floating-point operations it will take, for the choice.</param>
    /// <param name="work">The work. It must look at the token between blocks.</param>
    /// <param name="order">Before and after which other work; null for after all that came before.</param>
    /// <param name="cancellationToken">Work that has not started when it is cancelled never does, and ends at once.</param>
    /// <returns>
    /// A task that ends with the work, in its success, error or cancellation; with an <see cref="ObjectDisposedException"/> where work for a
    /// thread comes after <see cref="Dispose()"/>.
    /// </returns>
    public Task RunAsync(long operations, Action<CancellationToken> work, ComputeOrder? order = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return RunPartsAsync(1, operations, (_, token) => work(token), order, leading: 0, cancellationToken);
    }

    /// <summary>
    /// Runs parts of work, each once. The threads take the next part whenever they are done with one, so parts need not be equal. They do not
    /// depend on each other, but that the first may have to end before the others begin.
    /// </summary>
    /// <param name="parts">How many; work gets their numbers from 0 on.</param>
    /// <param name="operations">Floating-point operations of all parts, for the choice of how many threads are worth it.</param>
    /// <param name="work">The work of a part. It must look at the token between blocks.</param>
    /// <param name="order">Before and after which other work; null for after all that came before.</param>
    /// <param name="leading">
    /// How many parts, the first ones, have to end before any other begins. A thread that finds no part of them left waits for the others,
    /// so they should not take long.
    /// </param>
    /// <param name="cancellationToken">Parts that have not started when it is cancelled never do.</param>
    /// <returns>
    /// A task that ends when no part runs any more, in success, with the first error, or cancelled; with an
    /// <see cref="ObjectDisposedException"/> where work for threads comes after <see cref="Dispose()"/>.
    /// </returns>
    public Task RunPartsAsync(
        int parts,
        long operations,
        Action<int, CancellationToken> work,
        ComputeOrder? order = null,
        int leading = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfNegative(parts);
        ArgumentOutOfRangeException.ThrowIfNegative(leading);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(leading, parts);
        if (parts == 0)
        {
            return Task.CompletedTask;
        }

        if (operations < InlineOperations)
        {
            var small = new ComputeJob(parts, leading, order: default, work, cancellationToken);
            small.Serve(this);
            small.Complete();
            return small.Completion;
        }

        var job = new ComputeJob(parts, leading, order ?? new ComputeOrder(TakeTurn(), Place: 0), work, cancellationToken);
        var threads = Math.Min(Math.Min(parts, ThreadCount), operations / InlineOperations);
        job.EndOnceCancelled();
        if (!_queue.Add(job, (int)threads))
        {
            job.EndUnlessBegun(new ObjectDisposedException(nameof(ComputePool), "work came to a compute pool whose threads have ended"));
        }

        return job.Completion;
    }

    /// <summary>
    /// Splits rows over the threads: work(first, count) is called for disjoint ranges that together are all rows. Splitting
    /// rows changes no bit of a kernel's result.
    /// </summary>
    /// <param name="rows">Rows in all.</param>
    /// <param name="operationsPerRow">Floating-point operations one row takes.</param>
    /// <param name="work">The work for a range of rows.</param>
    /// <param name="order">Before and after which other work; null for after all that came before.</param>
    /// <param name="cancellationToken">Ranges that have not started when it is cancelled never do.</param>
    public Task RunRowsAsync(
        int rows, long operationsPerRow, Action<int, int, CancellationToken> work, ComputeOrder? order = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);

        // No part smaller than what is worth a thread. Each goes through all of the weights, so that one thread alone takes all rows at once.
        var most = ThreadCount == 1 ? 1 : PartsPerThread * ThreadCount;
        var blocks = new RowBlocks(rows, (int)Math.Clamp(rows * operationsPerRow / InlineOperations, 1, most));
        return RunPartsAsync(
            blocks.Count,
            rows * operationsPerRow,
            (part, token) =>
            {
                var (first, count) = blocks[part];
                work(first, count, token);
            },
            order,
            leading: 0,
            cancellationToken);
    }

    /// <summary>Lets the threads end after the work that is queued. What comes for them later fails.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets the threads end after the work that is queued.</summary>
    protected virtual void Dispose(bool disposing) => _queue.Complete();

    /// <summary>Runs one part of some work on the calling thread: the place to observe or slow it down.</summary>
    protected virtual void Execute(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        work(part, cancellationToken);
    }

    internal void Run(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _running);
        try
        {
            Execute(work, part, cancellationToken);
        }
        finally
        {
            // Counted out before the awaiter goes on, so that who has seen the work end does not see it running.
            Interlocked.Decrement(ref _running);
        }
    }

    private void Serve(int thread)
    {
        if (IsPinned)
        {
            PinnedThread.Stay(thread);
        }

        TimeSlice.Lengthen();
        var time = TimeProvider.System;
        var free = time.GetTimestamp();
        var told = new List<ComputeJob>();
        while (_queue.Take() is { } job)
        {
            var waited = job.Came <= free;
            _startDelay = waited ? time.GetElapsedTime(free) : TimeSpan.Zero;
            _wakeDelay = waited ? null : time.GetElapsedTime(job.Came);
            var ended = job.Serve(this);
            free = time.GetTimestamp();
            _queue.Leave(job, ended, told);
            told.ForEach(other => other.Complete());
            told.Clear();
        }
    }
}
