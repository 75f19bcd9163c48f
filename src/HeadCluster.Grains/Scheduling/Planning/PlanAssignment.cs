namespace HeadCluster.Scheduling;

/// <summary>Which silo each head goes to while it is being decided, and the memory that is left.</summary>
internal sealed class PlanAssignment
{
    private readonly PlanProblem _problem;
    private readonly int[] _silos;
    private readonly long[] _free;

    /// <summary>No head is anywhere.</summary>
    public PlanAssignment(PlanProblem problem, int coordinator)
    {
        _problem = problem;
        Coordinator = coordinator;
        _silos = new int[problem.Heads.Count];
        _silos.AsSpan().Fill(-1);
        _free = [.. problem.Silos.Select(silo => silo.MemoryBytes)];
        _free[coordinator] -= problem.Coordinator.WeightBytes;
    }

    /// <summary>Heads are on these silos.</summary>
    public PlanAssignment(PlanProblem problem, int coordinator, ReadOnlySpan<int> silos)
        : this(problem, coordinator)
    {
        for (var head = 0; head < silos.Length; head++)
        {
            Place(head, silos[head]);
        }
    }

    /// <summary>Index of the silo that coordinates.</summary>
    public int Coordinator { get; }

    /// <summary>Index of the silo of each head; -1 for one that is nowhere yet.</summary>
    public ReadOnlySpan<int> Silos => _silos;

    /// <summary>Memory that is left on a silo, in bytes; negative if it has not even enough for the coordinators.</summary>
    public long Free(int silo) => _free[silo];

    /// <summary>Puts a head, wherever it was, on a silo.</summary>
    public void Place(int head, int silo)
    {
        var bytes = _problem.Heads[head].Bytes;
        if (_silos[head] is >= 0 and var before)
        {
            _free[before] += bytes;
        }

        _free[silo] -= bytes;
        _silos[head] = silo;
    }

    /// <summary>Takes a head from its silo.</summary>
    public void Remove(int head)
    {
        _free[_silos[head]] += _problem.Heads[head].Bytes;
        _silos[head] = -1;
    }

    /// <summary>The same, to be changed by itself.</summary>
    public PlanAssignment Copy() => new(_problem, Coordinator, _silos);
}
