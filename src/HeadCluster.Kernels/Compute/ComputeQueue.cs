namespace HeadCluster.Kernels;

/// <summary>Jobs that wait for a thread, in their order; what is equal in it as it came.</summary>
internal sealed class ComputeQueue
{
    // Guards all below, and threads without a job wait on it. They block at once: a semaphore of .NET has them give their turn away again and
    // again first, which takes the processor from those that compute where there are more threads than processors.
    private readonly object _lock = new();
    private readonly PriorityQueue<ComputeJob, (long Turn, int Place, long Arrival)> _jobs = new();
    private long _arrivals;
    private bool _isComplete;

    // Jobs of one turn that have ended and are not told yet. While there are any, a job of that turn waits or is being served, and whoever
    // takes it leaves it here.
    private readonly List<ComputeJob> _ended = [];

    /// <summary>Has some threads take the same job.</summary>
    /// <returns>False once no job may come any more; none will take it.</returns>
    public bool Add(ComputeJob job, int threads)
    {
        lock (_lock)
        {
            for (var thread = 0; thread < threads && !_isComplete; thread++)
            {
                _jobs.Enqueue(job, (job.Order.Turn, job.Order.Place, _arrivals++));
                Monitor.Pulse(_lock);
            }

            return !_isComplete;
        }
    }

    /// <summary>Waits for a job.</summary>
    /// <returns>Null once there is none and none will come.</returns>
    public ComputeJob? Take()
    {
        lock (_lock)
        {
            ComputeJob? job;
            while (!_jobs.TryDequeue(out job, out _) && !_isComplete)
            {
                Monitor.Wait(_lock);
            }

            return job;
        }
    }

    /// <summary>A thread that took a job is done with it.</summary>
    /// <param name="job">The job.</param>
    /// <param name="ended">Whether all of it has ended.</param>
    /// <param name="told">Jobs are added to it of which the end is to be told now.</param>
    public void Leave(ComputeJob job, bool ended, List<ComputeJob> told)
    {
        lock (_lock)
        {
            if (ended)
            {
                _ended.Add(job);
            }

            if (_ended.Count > 0 && !MayWait(job))
            {
                told.AddRange(_ended);
                _ended.Clear();
            }
        }
    }

    // Whether what has ended may wait for more of its turn. Not after an error, since that ends the request, and not without a job of that turn
    // that waits for a thread: whoever leaves that one asks again.
    private bool MayWait(ComputeJob last) =>
        _ended.Count < last.Order.Together
        && !last.HasFailed
        && _ended[0].Order.Turn == last.Order.Turn
        && _jobs.TryPeek(out var next, out _)
        && next.Order.Turn == last.Order.Turn;

    /// <summary>No job will come any more: threads get what is left, and then none.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            _isComplete = true;
            Monitor.PulseAll(_lock);
        }
    }
}
