namespace HeadCluster.Grains;

/// <summary>The heads and coordinators that are active on this silo.</summary>
internal sealed class LocalGrains
{
    private readonly Lock _lock = new();

    private readonly Dictionary<HeadId, LocalHead> _heads = [];
    private readonly Dictionary<GrainId, string> _coordinators = [];
    private readonly Dictionary<object, TaskCompletionSource> _awaited = [];
    private readonly Dictionary<object, Task> _going = [];

    /// <summary>Models of which something is active here.</summary>
    public string[] Models
    {
        get
        {
            lock (_lock)
            {
                return [.. _heads.Keys.Select(head => head.Model).Concat(_coordinators.Values).Distinct(StringComparer.Ordinal)];
            }
        }
    }

    public HeadId[] Heads
    {
        get
        {
            lock (_lock)
            {
                return [.. _heads.Keys];
            }
        }
    }

    /// <summary>A head, to be asked by reference; null if it is not here.</summary>
    public LocalHead? Find(HeadId head)
    {
        lock (_lock)
        {
            return _heads.GetValueOrDefault(head);
        }
    }

    /// <summary>Whether a coordinator is here.</summary>
    public bool Has(GrainId coordinator)
    {
        lock (_lock)
        {
            return _coordinators.ContainsKey(coordinator);
        }
    }

    public HeadId[] HeadsOf(string model)
    {
        lock (_lock)
        {
            return [.. _heads.Keys.Where(head => head.Model == model)];
        }
    }

    /// <summary>How many heads of each model.</summary>
    public KeyValuePair<string, int>[] CountHeadsByModel()
    {
        lock (_lock)
        {
            return [.. _heads.Keys.CountBy(head => head.Model)];
        }
    }

    /// <summary>The layers of a model, and the model as a whole.</summary>
    public GrainId[] CoordinatorsOf(string model)
    {
        lock (_lock)
        {
            return [.. _coordinators.Where(coordinator => coordinator.Value == model).Select(coordinator => coordinator.Key)];
        }
    }

    public void Add(HeadId head, LocalHead local)
    {
        lock (_lock)
        {
            _heads[head] = local;
            Arrived(head);
        }
    }

    /// <param name="head">A head that is being deactivated.</param>
    /// <param name="gone">Ends when nothing is left of its activation.</param>
    public void Remove(HeadId head, Task gone)
    {
        lock (_lock)
        {
            _heads.Remove(head);
            Going(head, gone);
        }
    }

    public void AddCoordinator(GrainId grain, string model)
    {
        lock (_lock)
        {
            _coordinators[grain] = model;
            Arrived(grain);
        }
    }

    /// <param name="grain">A coordinator that is being deactivated.</param>
    /// <param name="gone">Ends when nothing is left of its activation.</param>
    public void RemoveCoordinator(GrainId grain, Task gone)
    {
        lock (_lock)
        {
            _coordinators.Remove(grain);
            Going(grain, gone);
        }
    }

    /// <summary>Waits until a head is active here.</summary>
    public Task WaitForAsync(HeadId head, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _heads.ContainsKey(head) ? Task.CompletedTask : Awaited(head, cancellationToken);
        }
    }

    /// <summary>Waits until a coordinator is active here.</summary>
    public Task WaitForAsync(GrainId coordinator, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _coordinators.ContainsKey(coordinator) ? Task.CompletedTask : Awaited(coordinator, cancellationToken);
        }
    }

    /// <summary>
    /// Waits until nothing is left here of an activation of a head that is being deactivated. Until then Orleans takes the head for
    /// active here, and would ignore that it comes back.
    /// </summary>
    public Task WaitUntilGoneAsync(HeadId head, CancellationToken cancellationToken) => Gone(head, cancellationToken);

    /// <summary>The same of a coordinator.</summary>
    public Task WaitUntilGoneAsync(GrainId coordinator, CancellationToken cancellationToken) => Gone(coordinator, cancellationToken);

    private Task Gone(object grain, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _going.TryGetValue(grain, out var gone) ? gone.WaitAsync(cancellationToken) : Task.CompletedTask;
        }
    }

    private void Going(object grain, Task gone)
    {
        _going[grain] = gone;
        _ = ForgetAsync();

        async Task ForgetAsync()
        {
            // Not in the turns of the grain, which end with it.
            await gone.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
            lock (_lock)
            {
                // Another of it may have come and be going meanwhile.
                if (_going.TryGetValue(grain, out var last) && last == gone)
                {
                    _going.Remove(grain);
                }
            }
        }
    }

    private Task Awaited(object grain, CancellationToken cancellationToken)
    {
        if (!_awaited.TryGetValue(grain, out var arrival))
        {
            _awaited.Add(grain, arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        return arrival.Task.WaitAsync(cancellationToken);
    }

    private void Arrived(object grain)
    {
        if (_awaited.Remove(grain, out var arrival))
        {
            arrival.SetResult();
        }
    }
}
