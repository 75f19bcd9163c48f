namespace HeadCluster.Scheduling;

/// <summary>What each silo does of one layer, head by head, while heads are tried elsewhere.</summary>
internal sealed class LayerWork
{
    private readonly PlanProblem _problem;
    private readonly PlanPricing _pricing;
    private readonly PlanAssignment _assignment;
    private readonly SiloWork[] _works;

    // The heads on each silo, the longest first.
    private readonly List<int>[] _heads;

    public LayerWork(PlanProblem problem, PlanPricing pricing, PlanAssignment assignment, PlanLayers layers, int layer)
    {
        _problem = problem;
        _pricing = pricing;
        _assignment = assignment;
        _works = new SiloWork[problem.Silos.Count];
        _heads = new List<int>[_works.Length];
        foreach (var head in layers.Heads(layers.Ranges[layer]))
        {
            Add(head, assignment.Silos[head]);
        }

        Refresh();
    }

    /// <summary>From the start of the layer to its last head's answer, in seconds.</summary>
    public double Seconds { get; private set; }

    /// <summary>The silo that answers last.</summary>
    public int Slowest { get; private set; }

    /// <summary>The heads of the layer on a silo, the longest first.</summary>
    public IReadOnlyList<int> Heads(int silo) => _heads[silo] ?? (IReadOnlyList<int>)[];

    /// <summary>Number of silos.</summary>
    public int Silos => _works.Length;

    /// <summary>
    /// What the later of two silos would take if one gave a head to the other and perhaps got one back; of the whole layer, if that
    /// changes to whom x is sent. Infinite if there is no room.
    /// </summary>
    /// <param name="given">A head of the layer.</param>
    /// <param name="target">The silo that gets it.</param>
    /// <param name="returned">A head that comes back; -1 for none.</param>
    public double SecondsAfter(int given, int target, int returned = -1)
    {
        var source = _assignment.Silos[given];
        var more = _problem.Heads[given].Bytes - (returned < 0 ? 0 : _problem.Heads[returned].Bytes);
        if (_assignment.Free(target) < more || _assignment.Free(source) < -more)
        {
            return double.PositiveInfinity;
        }

        var before = (_works[source], _works[target]);
        var after = (Without(source, given, returned), Without(target, returned, given));
        if (after.Item1.Heads > 0 && before.Item2.Heads > 0)
        {
            return Math.Max(_pricing.FinishSeconds(source, after.Item1, Sending), _pricing.FinishSeconds(target, after.Item2, Sending));
        }

        (_works[source], _works[target]) = after;
        var seconds = _pricing.HeadsSeconds(_works);
        (_works[source], _works[target]) = before;
        return seconds;
    }

    /// <summary>Moves a head of the layer.</summary>
    public void Move(int head, int target)
    {
        var source = _assignment.Silos[head];
        _works[source] = Without(source, head, -1);
        _heads[source].Remove(head);
        _assignment.Place(head, target);
        Add(head, target);
        Refresh();
    }

    private Sending Sending { get; set; }

    private void Add(int head, int silo)
    {
        _works[silo] = With(_works[silo], silo, head);
        var heads = _heads[silo] ??= [];
        var place = heads.Count;
        while (place > 0 && _problem.Heads[head].Operations > _problem.Heads[heads[place - 1]].Operations)
        {
            place--;
        }

        heads.Insert(place, head);
    }

    private void Refresh()
    {
        Sending = _pricing.Sending(_works);
        Slowest = _pricing.Coordinator;
        Seconds = _pricing.FinishSeconds(Slowest, _works[Slowest], Sending);
        for (var silo = 0; silo < _works.Length; silo++)
        {
            if (_works[silo].Heads > 0 && _pricing.FinishSeconds(silo, _works[silo], Sending) is var seconds && seconds > Seconds)
            {
                (Slowest, Seconds) = (silo, seconds);
            }
        }
    }

    // Summed anew rather than subtracted, so that the same heads always take exactly the same.
    private SiloWork Without(int silo, int removed, int added)
    {
        var work = removed < 0 ? _works[silo] : default;
        if (removed >= 0)
        {
            foreach (var head in Heads(silo))
            {
                work = head == removed ? work : With(work, silo, head);
            }
        }

        return added < 0 ? work : With(work, silo, added);
    }

    private SiloWork With(in SiloWork work, int silo, int head) => work.With(_pricing.HeadSeconds(silo, _problem.Heads[head]), _problem.Heads[head]);
}
