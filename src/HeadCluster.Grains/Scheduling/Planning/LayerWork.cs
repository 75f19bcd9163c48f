using System.Runtime.InteropServices;

namespace HeadCluster.Scheduling;

/// <summary>What each silo does of one layer, head by head, while heads are tried elsewhere.</summary>
internal sealed class LayerWork
{
    private readonly PlanProblem _problem;
    private readonly PlanPricing _pricing;
    private readonly PlanAssignment _assignment;
    private readonly PlanLayers _layers;
    private readonly SiloWork[] _works;

    // The heads on each silo, the longest first.
    private readonly List<int>?[] _heads;

    // What Kinds said of each silo since its heads last changed.
    private readonly int[]?[] _kinds;

    public LayerWork(PlanProblem problem, PlanPricing pricing, PlanAssignment assignment, PlanLayers layers, int layer)
    {
        _problem = problem;
        _pricing = pricing;
        _assignment = assignment;
        _layers = layers;
        _works = new SiloWork[problem.Silos.Count];
        _heads = new List<int>[_works.Length];
        _kinds = new int[_works.Length][];
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

    /// <summary>
    /// One head of each kind on a silo, the longest first: which of them moves makes no difference to the time. One that has left its
    /// place already is as good as any and costs no move more.
    /// </summary>
    public ReadOnlySpan<int> Kinds(int silo) => _kinds[silo] ??= FindKinds(silo);

    /// <summary>1 if a head would leave the silo where it is now, 0 if it has left that already, or if there is none.</summary>
    public int Leaves(int head) => head >= 0 && _problem.Present?[head] == _assignment.Silos[head] ? 1 : 0;

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
        var more = _layers.Load(given).Bytes - (returned < 0 ? 0 : _layers.Load(returned).Bytes);
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
        _heads[source]!.Remove(head);
        _kinds[source] = null;
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
        while (place > 0 && _layers.Load(head).Operations > _layers.Load(heads[place - 1]).Operations)
        {
            place--;
        }

        heads.Insert(place, head);
        _kinds[silo] = null;
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

    private SiloWork With(in SiloWork work, int silo, int head)
    {
        ref readonly var load = ref _layers.Load(head);
        return work.With(_pricing.HeadSeconds(silo, load), load);
    }

    private int[] FindKinds(int silo)
    {
        var kinds = new List<int>();
        foreach (var head in Heads(silo))
        {
            if (kinds is not [.., var last] || !_layers.Alike(last, head))
            {
                kinds.Add(head);
            }
            else if (Leaves(last) > 0)
            {
                kinds[^1] = head;
            }
        }

        return [.. kinds];
    }

    private ReadOnlySpan<int> Heads(int silo) => CollectionsMarshal.AsSpan(_heads[silo]);
}
