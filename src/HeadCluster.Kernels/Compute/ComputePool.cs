using System.Collections.Concurrent;

namespace HeadCluster.Kernels;

/// <summary>
/// Threads of its own for kernels, bounded in number, so that computing never takes the threads that sockets, timers and
/// liveness probes run on.
/// </summary>
public class ComputePool : IDisposable
{
    /// <summary>
    /// Work of fewer floating-point operations runs on the caller's thread: at several GFLOP/s it takes tens of microseconds,
    /// about what handing it to another thread and back would cost.
    /// </summary>
    public const long InlineOperations = 500_000;

    private readonly BlockingCollection<WorkItem> _queue = [];
    private readonly Thread[] _threads;
    private int _running;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">How many, at least 1.</param>
    public ComputePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _threads = new Thread[threads];
        for (var i = 0; i < threads; i++)
        {
            _threads[i] = new Thread(Serve) { IsBackground = true, Name = $"HeadCluster compute {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>The number of threads.</summary>
    public int ThreadCount => _threads.Length;

    /// <summary>Work that is being computed at this moment, on the pool's threads or inline.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Runs work on one of the threads, or inline if it is small.</summary>
    /// <param name="operations">Floating-point operations it will take, for the choice.</param>
    /// <param name="work">The work. It must look at the token between blocks.</param>
    /// <param name="cancellationToken">Work that has not started when it is cancelled never does.</param>
    /// <returns>A task that ends with the work, in its success, error or cancellation.</returns>
    public Task RunAsync(long operations, Action<CancellationToken> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        var item = new WorkItem(work, cancellationToken);
        if (operations < InlineOperations)
        {
            Run(item);
        }
        else
        {
            _queue.Add(item, CancellationToken.None);
        }

        return item.Completion.Task;
    }

    /// <summary>
    /// Splits rows over the threads: work(first, count) is called for disjoint ranges that together are all rows. Splitting
    /// rows changes no bit of a kernel's result.
    /// </summary>
    /// <param name="rows">Rows in all.</param>
    /// <param name="operationsPerRow">Floating-point operations one row takes.</param>
    /// <param name="work">The work for a range of rows.</param>
    /// <param name="cancellationToken">Ranges that have not started when it is cancelled never do.</param>
    public Task RunRowsAsync(int rows, long operationsPerRow, Action<int, int, CancellationToken> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var operations = rows * operationsPerRow;
        var parts = (int)Math.Min(Math.Max(operations / InlineOperations, 1), Math.Min(ThreadCount, rows));
        var tasks = new Task[parts];
        for (var part = 0; part < parts; part++)
        {
            var first = (int)((long)rows * part / parts);
            var count = (int)((long)rows * (part + 1) / parts) - first;
            tasks[part] = RunAsync(operations / parts, token => work(first, count, token), cancellationToken);
        }

        return Task.WhenAll(tasks);
    }

    /// <summary>Lets the threads end after the work that is queued.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets the threads end after the work that is queued.</summary>
    protected virtual void Dispose(bool disposing) => _queue.CompleteAdding();

    /// <summary>Runs one piece of work on the calling thread: the place to observe or slow it down.</summary>
    protected virtual void Execute(Action<CancellationToken> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        work(cancellationToken);
    }

    private void Serve()
    {
        foreach (var item in _queue.GetConsumingEnumerable())
        {
            Run(item);
        }
    }

    private void Run(WorkItem item)
    {
        if (item.CancellationToken.IsCancellationRequested)
        {
            item.Completion.SetCanceled(item.CancellationToken);
            return;
        }

        Interlocked.Increment(ref _running);
        Exception? error = null;
        try
        {
            Execute(item.Work, item.CancellationToken);
        }
        catch (Exception exception)
        {
            // Handed to whoever awaits the work; a compute thread outlives every kind of failure of its work.
            error = exception;
        }

        // Counted out before the awaiter goes on, so that who has seen the work end does not see it running.
        Interlocked.Decrement(ref _running);
        switch (error)
        {
            case null:
                item.Completion.SetResult();
                break;
            case OperationCanceledException cancelled:
                item.Completion.SetCanceled(cancelled.CancellationToken);
                break;
            default:
                item.Completion.SetException(error);
                break;
        }
    }

    private sealed record WorkItem(Action<CancellationToken> Work, CancellationToken CancellationToken)
    {
        // The awaiter must not go on on a compute thread.
        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
