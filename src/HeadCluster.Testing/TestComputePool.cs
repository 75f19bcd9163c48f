using HeadCluster.Hosting;
using HeadCluster.Kernels;
using Microsoft.Extensions.Options;

namespace HeadCluster.Testing;

/// <summary>A silo's compute pool that can be slowed and watched.</summary>
internal sealed class TestComputePool : ComputePool
{
    private readonly Lock _lock = new();
    private readonly List<(Func<int, bool> Reached, TaskCompletionSource Waiting)> _waiting = [];
    private CancellationTokenSource _delayChanged = new();
    private TimeSpan _delay;
    private Exception? _failure;
    private int _entered;
    private int _interrupted;

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

    /// <summary>Computations that had begun when their request was cancelled, and that ended by it.</summary>
    public int Interrupted => Volatile.Read(ref _interrupted);

    /// <summary>Makes the next computation throw.</summary>
    public void FailNext(Exception failure) => Volatile.Write(ref _failure, failure);

    /// <summary>Waits until the number of computations that run is one that <paramref name="reached"/> says yes to.</summary>
    public Task WaitForRunningAsync(Func<int, bool> reached, CancellationToken cancellationToken)
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (reached(_entered))
            {
                return Task.CompletedTask;
            }

            _waiting.Add((reached, waiting));
        }

        return waiting.Task.WaitAsync(cancellationToken);
    }

    protected override void Execute(Action<int, CancellationToken> work, int part, CancellationToken cancellationToken)
    {
        Count(+1);
        try
        {
            // A delay is part of the computation: what is cancelled within it goes on until the computation itself looks at its token.
            Wait(cancellationToken);
            if (Interlocked.Exchange(ref _failure, null) is { } failure)
            {
                throw failure;
            }

            base.Execute(work, part, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _interrupted);
            throw;
        }
        finally
        {
            Count(-1);
        }
    }

    private void Count(int change)
    {
        lock (_lock)
        {
            _entered += change;
            foreach (var (reached, waiting) in _waiting)
            {
                if (reached(_entered))
                {
                    waiting.TrySetResult();
                }
            }

            _waiting.RemoveAll(entry => entry.Waiting.Task.IsCompleted);
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
        }
    }
}
