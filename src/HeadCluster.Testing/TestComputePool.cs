using HeadCluster.Hosting;
using HeadCluster.Kernels;
using Microsoft.Extensions.Options;

namespace HeadCluster.Testing;

/// <summary>A silo's compute pool that can be slowed and watched.</summary>
internal sealed class TestComputePool : ComputePool
{
    private readonly Lock _lock = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private CancellationTokenSource _delayChanged = new();
    private TimeSpan _delay;
    private int _delayed;

    public TestComputePool(IOptions<HeadClusterOptions> options)
        : base(options.Value.ComputeThreads ?? Environment.ProcessorCount)
    {
    }

    /// <summary>Added to each computation; changing it ends the delays that are under way.</summary>
    public TimeSpan Delay
    {
        get
        {
            lock (_lock)
            {
                return _delay;
            }
        }

        set
        {
            CancellationTokenSource changed;
            lock (_lock)
            {
                _delay = value;
                (changed, _delayChanged) = (_delayChanged, new CancellationTokenSource());
            }

            changed.Cancel();
        }
    }

    public Task WaitForRunningAsync(int count, CancellationToken cancellationToken)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_delayed >= count)
            {
                return Task.CompletedTask;
            }

            _waiting.Add((count, reached));
        }

        return reached.Task.WaitAsync(cancellationToken);
    }

    protected override void Execute(Action<CancellationToken> work, CancellationToken cancellationToken)
    {
        Enter();
        try
        {
            Wait(cancellationToken);
            base.Execute(work, cancellationToken);
        }
        finally
        {
            lock (_lock)
            {
                _delayed--;
            }
        }
    }

    private void Enter()
    {
        lock (_lock)
        {
            _delayed++;
            foreach (var (count, reached) in _waiting)
            {
                if (_delayed >= count)
                {
                    reached.TrySetResult();
                }
            }

            _waiting.RemoveAll(waiting => waiting.Reached.Task.IsCompleted);
        }
    }

    private void Wait(CancellationToken cancellationToken)
    {
        CancellationToken changed;
        TimeSpan delay;
        lock (_lock)
        {
            (delay, changed) = (_delay, _delayChanged.Token);
        }

        if (delay > TimeSpan.Zero)
        {
            WaitHandle.WaitAny([cancellationToken.WaitHandle, changed.WaitHandle], delay);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
