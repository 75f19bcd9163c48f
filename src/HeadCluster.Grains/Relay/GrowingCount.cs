namespace HeadCluster.Grains;

/// <summary>A number that only grows, and that can be waited for. Thread-safe.</summary>
internal sealed class GrowingCount
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _growth = NewGrowth();
    private int _value;

    public int Value => Volatile.Read(ref _value);

    /// <summary>Sets it to a value that is no smaller, and wakes those who wait for more.</summary>
    public void Grow(int value)
    {
        TaskCompletionSource growth;
        lock (_lock)
        {
            growth = _growth;
            _growth = NewGrowth();
            Volatile.Write(ref _value, value);
        }

        growth.TrySetResult();
    }

    /// <summary>It will not grow any more; whoever waits for that gets the reason.</summary>
    public void Fail(Exception reason)
    {
        lock (_lock)
        {
            _growth.TrySetException(reason);
            _growth.Task.Ignore();
        }
    }

    /// <summary>Waits until it is at least so large, and says how large it is.</summary>
    public async ValueTask<int> WaitAsync(int least, CancellationToken cancellationToken)
    {
        while (Value < least)
        {
            Task growth;
            lock (_lock)
            {
                growth = _value < least ? _growth.Task : Task.CompletedTask;
            }

            await growth.WaitAsync(cancellationToken);
        }

        return Value;
    }

    // Awaiters must not go on on the turn that makes it grow.
    private static TaskCompletionSource NewGrowth() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
