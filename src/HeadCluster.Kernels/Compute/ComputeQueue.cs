namespace HeadCluster.Kernels;

/// <summary>Jobs that wait for a thread, in their order; what is equal in it as it came.</summary>
internal sealed class ComputeQueue
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<ComputeJob, (long Turn, int Place, long Arrival)> _jobs = new();

    // One permit a job, and one a thread at the end.
    private readonly SemaphoreSlim _permits = new(0);
    private long _arrivals;

    /// <summary>Has some threads take the same job.</summary>
    public void Add(ComputeJob job, ComputeOrder order, int threads)
    {
        lock (_lock)
        {
            for (var thread = 0; thread < threads; thread++)
            {
                _jobs.Enqueue(job, (order.Turn, order.Place, _arrivals++));
            }
        }

        _permits.Release(threads);
    }

    /// <summary>Waits for a job.</summary>
    /// <returns>Null once there is none and none will come.</returns>
    public ComputeJob? Take()
    {
        _permits.Wait();
        lock (_lock)
        {
            return _jobs.TryDequeue(out var job, out _) ? job : null;
        }
    }

    /// <summary>No job will come any more: so many threads get what is left, and then none.</summary>
    public void Complete(int threads) => _permits.Release(threads);
}
