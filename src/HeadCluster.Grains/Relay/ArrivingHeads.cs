namespace HeadCluster.Grains;

/// <summary>
/// The outputs z of a layer's heads, <c>[rows, heads · width]</c>, where they are gathered: some are there, others still computed or on
/// their way. Thread-safe, and a head may come twice: its bits are the same.
/// </summary>
/// <param name="matrix">Room for all heads.</param>
internal sealed class ArrivingHeads(HeadMatrix matrix)
{
    private readonly Lock _lock = new();
    private readonly bool[] _arrived = new bool[matrix.Heads];
    private readonly GrowingCount _leading = new();
    private TaskCompletionSource? _arrival;

    public HeadMatrix Matrix => matrix;

    /// <summary>Heads that are there without one missing before them, from head 0 on: what can be summed in the order of the heads.</summary>
    public int Leading => _leading.Value;

    /// <summary>A head has written its columns.</summary>
    public void Add(int head)
    {
        TaskCompletionSource? arrival;
        lock (_lock)
        {
            _arrived[head] = true;
            (arrival, _arrival) = (_arrival, null);
            var leading = Leading;
            while (leading < _arrived.Length && _arrived[leading])
            {
                leading++;
            }

            if (leading > Leading)
            {
                _leading.Grow(leading);
            }
        }

        arrival?.SetResult();
    }

    /// <summary>Waits until some heads are there.</summary>
    public async Task WaitForAsync(int[] heads, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrival;
            lock (_lock)
            {
                if (Array.TrueForAll(heads, head => _arrived[head]))
                {
                    return;
                }

                _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _arrival.Task;
            }

            await arrival.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until so many leading heads are there.</summary>
    public ValueTask<int> WaitAsync(int least, CancellationToken cancellationToken) => _leading.WaitAsync(least, cancellationToken);
}
