namespace HeadCluster.Grains;

/// <summary>
/// A head as its neighbours on the same silo ask it: in turns of its grain, as any call, but without a message. Rows that are still arriving
/// and the place for z are given by reference, and nobody has to look up where the head is, for which Orleans' directory takes its time
/// while silos come and go. Turns of several requests interleave: a head changes nothing but its statistics, and what it keeps of a sequence one of them at a time.
/// </summary>
internal sealed class LocalHead
{
    private readonly Lock _lock = new();
    private readonly Func<LayerInput, HeadColumns, CancellationToken, Task<HeadReport>> _attend;
    private readonly TaskScheduler _turns;
    private TaskCompletionSource? _closed;
    private int _running;

    /// <summary>Made in a turn of the head's grain.</summary>
    /// <param name="attend">Computes z into its place, in turns of the grain.</param>
    public LocalHead(Func<LayerInput, HeadColumns, CancellationToken, Task<HeadReport>> attend)
    {
        _attend = attend;
        _turns = TaskScheduler.Current;
    }

    /// <summary>Has the head compute z into its place; null if it goes away, so that an ordinary call is to follow it.</summary>
    public Task<HeadReport>? TryAttend(LayerInput input, HeadColumns output, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed is not null)
            {
                return null;
            }

            _running++;
        }

        return Task.Factory.StartNew(AttendAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _turns).Unwrap();

        async Task<HeadReport> AttendAsync()
        {
            try
            {
                return await _attend(input, output, cancellationToken);
            }
            finally
            {
                Leave();
            }
        }
    }

    /// <summary>Takes nothing more, and ends when all that was taken has ended.</summary>
    public Task CloseAsync()
    {
        lock (_lock)
        {
            _closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_running == 0)
            {
                _closed.TrySetResult();
            }

            return _closed.Task;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            _running--;
            if (_running == 0)
            {
                _closed?.TrySetResult();
            }
        }
    }
}
