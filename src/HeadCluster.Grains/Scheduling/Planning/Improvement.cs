namespace HeadCluster.Scheduling;

/// <summary>
/// Makes an assignment better step by step: as long as the slowest silo of a layer can give a head to another, or exchange one,
/// so that both are done earlier, it does. Then heads go back to where they are now if that costs nothing.
/// </summary>
internal sealed class Improvement
{
    // A step is one exchange that is looked at. What is reached by then is a good plan already, and planning takes bounded time.
    private const int MostSteps = 400_000;
    private const double LeastGain = 1e-9;

    private readonly PlanProblem _problem;
    private readonly PlanLayers _layers;
    private readonly PlanPricing _pricing;
    private readonly PlanAssignment _assignment;
    private int _stepsLeft = MostSteps;

    public Improvement(PlanProblem problem, PlanLayers layers, PlanPricing pricing, PlanAssignment assignment)
    {
        _problem = problem;
        _layers = layers;
        _pricing = pricing;
        _assignment = assignment;
    }

    /// <summary>Balances every layer.</summary>
    /// <param name="mostMoves">The most heads that may leave the silos where they are now.</param>
    public void Balance(int mostMoves)
    {
        var movesLeft = mostMoves;
        for (var layer = 0; layer < _layers.Ranges.Length && _stepsLeft > 0; layer++)
        {
            var work = new LayerWork(_problem, _pricing, _assignment, _layers, layer);
            while (FindExchange(work, movesLeft) is { } exchange)
            {
                movesLeft -= work.Leaves(exchange.Given) + work.Leaves(exchange.Returned);
                var source = _assignment.Silos[exchange.Given];
                work.Move(exchange.Given, exchange.Target);
                if (exchange.Returned >= 0)
                {
                    work.Move(exchange.Returned, source);
                }
            }
        }
    }

    /// <summary>
    /// Takes back moves that are not worth it: those that cost more than they gain.
    /// </summary>
    /// <param name="costOf">What moving a head is worth at least, in seconds of a request.</param>
    public void TakeBack(Func<int, double> costOf)
    {
        for (var layer = 0; layer < _layers.Ranges.Length && _stepsLeft > 0; layer++)
        {
            LayerWork? work = null;
            foreach (var head in _layers.Heads(_layers.Ranges[layer]))
            {
                if (_problem.Present?[head] is not (>= 0 and var silo) || silo == _assignment.Silos[head])
                {
                    continue;
                }

                work ??= new LayerWork(_problem, _pricing, _assignment, _layers, layer);
                _stepsLeft--;
                if (work.SecondsAfter(head, silo) <= work.Seconds + costOf(head))
                {
                    work.Move(head, silo);
                }
            }
        }
    }

    // The exchange after which the slowest silo and its partner are done earliest; null if they never are earlier than now.
    private (int Given, int Target, int Returned)? FindExchange(LayerWork work, int movesLeft)
    {
        var best = default((int Given, int Target, int Returned)?);
        var least = work.Seconds * (1 - LeastGain);
        var slowest = work.Slowest;
        foreach (var given in work.Kinds(slowest))
        {
            for (var target = 0; target < work.Silos && _stepsLeft > 0; target++)
            {
                if (target == slowest)
                {
                    continue;
                }

                Try(given, target, -1);
                foreach (var returned in work.Kinds(target))
                {
                    if (!_layers.Alike(given, returned))
                    {
                        Try(given, target, returned);
                    }
                }
            }
        }

        return best;

        void Try(int given, int target, int returned)
        {
            _stepsLeft--;
            if (work.Leaves(given) + work.Leaves(returned) <= movesLeft && work.SecondsAfter(given, target, returned) is var seconds && seconds < least)
            {
                (best, least) = ((given, target, returned), seconds);
            }
        }
    }
}
