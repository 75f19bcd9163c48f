namespace HeadCluster.Scheduling;

/// <summary>
/// Tries all plans with one coordinator, but for those that cannot be better than the best so far (branch and bound, Land and Doig
/// 1960): a head more never makes a layer faster, and no layer is faster than if it had all memory for itself.
/// </summary>
internal sealed class ExactSearch
{
    // Silos up to which it is worth a try, and the plans in part that are looked at then.
    private const int MostSilos = 8;
    private const int MostSteps = 100_000;
    private const double LeastGain = 1e-9;

    private readonly PlanProblem _problem;
    private readonly PlanLayers _layers;
    private readonly PlanPricing _pricing;
    private readonly int[] _order;
    private readonly int[] _silos;
    private readonly double[] _least;
    private readonly SiloWork[][] _works;
    private long[] _free = [];
    private int[]? _found;
    private double _seconds;
    private int _end;
    private int _stepsLeft;

    private ExactSearch(PlanProblem problem, PlanLayers layers, PlanPricing pricing)
    {
        _problem = problem;
        _layers = layers;
        _pricing = pricing;
        _order = layers.Heads(..problem.Heads.Count).ToArray();
        _silos = new int[_order.Length];
        _works = [.. layers.Ranges.Select(_ => new SiloWork[problem.Silos.Count])];

        // What all layers from one on take at least.
        _least = new double[layers.Ranges.Length + 1];
    }

    /// <summary>The best plan; null if none is better than what is known, or none was found in time.</summary>
    /// <param name="problem">What is placed.</param>
    /// <param name="layers">Its heads by layer.</param>
    /// <param name="coordinator">Index of the silo that coordinates.</param>
    /// <param name="known">What a request takes with the best plan that is known, in seconds.</param>
    public static PlanAssignment? TryFind(PlanProblem problem, PlanLayers layers, int coordinator, double known)
    {
        if (problem.Silos.Count > MostSilos)
        {
            return null;
        }

        var search = new ExactSearch(problem, layers, new PlanPricing(problem, coordinator));
        var last = layers.Ranges.Length - 1;
        for (var layer = last; layer > 0; layer--)
        {
            search._least[layer] = search._least[layer + 1];
            search.Run(layer, layer, double.PositiveInfinity);
            if (search._stepsLeft > 0 && double.IsFinite(search._seconds))
            {
                search._least[layer] = search._seconds;
            }
        }

        search.Run(0, last, known - search._pricing.OnceSeconds);
        return search._found is { } silos ? new PlanAssignment(problem, coordinator, silos) : null;
    }

    private void Run(int first, int last, double known)
    {
        _stepsLeft = MostSteps;
        _found = null;
        _seconds = known;
        _end = last + 1;
        _free = [.. _problem.Silos.Select(silo => silo.MemoryBytes)];
        _free[_pricing.Coordinator] -= _problem.Coordinator.WeightBytes;
        if (_free[_pricing.Coordinator] >= 0)
        {
            BeginLayer(first, 0);
        }
    }

    private void BeginLayer(int layer, double before)
    {
        if (layer == _end)
        {
            (_found, _seconds) = ([.. _silos], before + _least[layer]);
            return;
        }

        Array.Clear(_works[layer]);
        Place(layer, _layers.Ranges[layer].Start.Value, before);
    }

    private void Place(int layer, int index, double before)
    {
        var works = _works[layer];
        var seconds = before + _pricing.HeadsSeconds(works) + _pricing.LayerSeconds;
        if (--_stepsLeft <= 0 || seconds + _least[layer + 1] >= _seconds * (1 - LeastGain))
        {
            return;
        }

        if (index == _layers.Ranges[layer].End.Value)
        {
            BeginLayer(layer + 1, seconds);
            return;
        }

        // Heads that are alike go to silos in ascending order: no plan is tried twice.
        var head = _order[index];
        var load = _layers.Load(head);
        var alike = index > _layers.Ranges[layer].Start.Value && _layers.Alike(head, _order[index - 1]);
        for (var silo = alike ? _silos[_order[index - 1]] : 0; silo < works.Length; silo++)
        {
            if (_free[silo] < load.Bytes)
            {
                continue;
            }

            var work = works[silo];
            works[silo] = work.With(_pricing.HeadSeconds(silo, load), load);
            _free[silo] -= load.Bytes;
            _silos[head] = silo;
            Place(layer, index + 1, before);
            _free[silo] += load.Bytes;
            works[silo] = work;
        }
    }
}
