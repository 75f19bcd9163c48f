namespace HeadCluster.Silo;

/// <summary>Knows which calls to HeadCluster's grains run on this silo, so that those that run when it is told to stop can finish.</summary>
internal sealed class RunningRequests : IIncomingGrainCallFilter
{
    private const string OurInterfaces = nameof(HeadCluster);

    private Batch _current = new();

    /// <inheritdoc/>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        // Those of users, and those between silos.
        if (context.InterfaceMethod.DeclaringType?.Namespace?.StartsWith(OurInterfaces, StringComparison.Ordinal) != true)
        {
            await context.Invoke();
            return;
        }

        var batch = Enter();
        try
        {
            await context.Invoke();
        }
        finally
        {
            batch.Leave();
        }
    }

    /// <summary>Waits until the calls that run now have ended; those that come after are not waited for.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var batch = Interlocked.Exchange(ref _current, new Batch());
        batch.Leave();
        return batch.Ended.WaitAsync(cancellationToken);
    }

    private Batch Enter()
    {
        while (true)
        {
            var batch = Volatile.Read(ref _current);
            if (batch.TryEnter())
            {
                return batch;
            }
        }
    }

    /// <summary>Calls that are waited for together. It ends when all have, once it is closed; being open counts as one.</summary>
    private sealed class Batch
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count = 1;

        public Task Ended => _ended.Task;

        public bool TryEnter()
        {
            for (var count = Volatile.Read(ref _count); count != 0;)
            {
                var before = Interlocked.CompareExchange(ref _count, count + 1, count);
                if (before == count)
                {
                    return true;
                }

                count = before;
            }

            return false;
        }

        public void Leave()
        {
            if (Interlocked.Decrement(ref _count) == 0)
            {
                _ended.SetResult();
            }
        }
    }
}
