using System.Diagnostics;
using HeadCluster.Scheduling;

namespace HeadCluster.Cli.Simulate;

/// <summary>
/// The planner and the move policy of the cluster on a fleet that is only imagined. Time advances in steps; the same seed gives the
/// same run, apart from how long planning takes.
/// </summary>
internal sealed class FleetSimulation
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly IPlanStrategy Strategy = new MeasuredStrategy();

    private readonly SimulatedFleet _fleet;
    private readonly Disturbances _disturbances;
    private readonly TimeSpan _duration;
    private readonly TimeProvider _clock;

    // Of each head its silo, the silo that it is on its way to, both -1 for none, and when it last moved.
    private readonly int[] _places;
    private readonly int[] _coming;
    private readonly DateTimeOffset?[] _lastMoved;
    private readonly PriorityQueue<int, (TimeSpan When, int Head)> _arrivals = new();
    private readonly Dictionary<SiloAddress, int> _indices = [];
    private readonly List<double> _ratios = [];
    private double _ratio;
    private int _coordinator = -1;
    private HeadPlan? _plan;
    private PlanAdoption _adoption;
    private TimeSpan? _lostSince;
    private TimeSpan _longestLoss;
    private double _planSeconds;
    private int _plans;
    private int _moved;
    private long _movedBytes;

    /// <param name="silos">Silos at first.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="seed">Of all that is left to chance.</param>
    /// <param name="duration">Simulated time.</param>
    /// <param name="clock">By which planning is timed.</param>
    public FleetSimulation(int silos, int heads, int seed, TimeSpan duration, TimeProvider clock)
    {
        var random = new Random(seed);
        _fleet = new SimulatedFleet(silos, heads, random);
        _disturbances = new Disturbances(_fleet, random, duration);
        _duration = duration;
        _clock = clock;
        _places = new int[heads];
        _places.AsSpan().Fill(-1);
        _coming = [.. _places];
        _lastMoved = new DateTimeOffset?[heads];
    }

    /// <summary>Runs to the end.</summary>
    public SimulationResult Run(CancellationToken cancellationToken)
    {
        Settle();
        var stale = false;
        for (var now = Step; now <= _duration; now += Step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var happened = _disturbances.Advance(now);
            var lost = happened && LoseHeads(now);
            stale |= happened;
            var landed = Land(now);

            // Who is lost is planned for at once, whatever else has changed at the end of a period.
            var planned = lost || (stale && now.Ticks % Period.Ticks == 0);
            if (planned)
            {
                Plan(now);
                stale = false;
            }

            if (_adoption != PlanAdoption.None && (planned || landed || now.Ticks % TimeSpan.TicksPerSecond == 0))
            {
                Move(now);
            }

            if (happened || landed || planned)
            {
                Observe();
            }

            _ratios.Add(_ratio);
        }

        return Result();
    }

    // The first plan is there before the first request.
    private void Settle()
    {
        Plan(TimeSpan.Zero);
        for (var head = 0; head < _places.Length; head++)
        {
            _places[head] = _indices[_plan!.Heads[head].Silo];
        }

        _adoption = PlanAdoption.None;
        Observe();
    }

    private void Plan(TimeSpan now)
    {
        for (var silo = 0; silo < _fleet.Silos.Count; silo++)
        {
            _indices[_fleet.Silos[silo].Address] = silo;
        }

        var problem = Problem();
        var began = _clock.GetTimestamp();
        var plan = HeadPlanner.Plan(problem, Strategy);
        _planSeconds = Math.Max(_planSeconds, _clock.GetElapsedTime(began).TotalSeconds);
        _plans++;
        var adoption = MovePolicy.Judge(problem, plan, DateTimeOffset.UnixEpoch + now, _lastMoved);

        // A plan that gains too little does not end one that is being carried out.
        if (adoption != PlanAdoption.None || _plan is null)
        {
            (_plan, _adoption) = (plan, adoption);
        }

        if (adoption == PlanAdoption.All || _coordinator < 0)
        {
            _coordinator = _indices[plan.Coordinator];
        }
    }

    private void Move(TimeSpan now)
    {
        var receiving = _coming.Where(silo => silo >= 0).Select(silo => _fleet.Silos[silo].Address).ToHashSet();
        var loaded = new Dictionary<SiloAddress, TimeSpan>();
        foreach (var move in MovePolicy.Next(Problem(), _plan!, _adoption, DateTimeOffset.UnixEpoch + now, _lastMoved, receiving))
        {
            // Those that have lost their silo all come at once, and a silo loads them one after the other.
            var ready = loaded.GetValueOrDefault(move.To, now) + _fleet.MoveTime(move.Index);
            loaded[move.To] = ready;
            _coming[move.Index] = _indices[move.To];
            _lastMoved[move.Index] = DateTimeOffset.UnixEpoch + now;
            _arrivals.Enqueue(move.Index, (ready, move.Index));
        }
    }

    private bool Land(TimeSpan now)
    {
        var landed = false;
        while (_arrivals.TryPeek(out var head, out var due) && due.When <= now)
        {
            _arrivals.Dequeue();
            if (_coming[head] >= 0)
            {
                landed = true;
                _places[head] = _coming[head];
                _coming[head] = -1;
                _moved++;
                _movedBytes += _fleet.Heads[head].Bytes;
            }
        }

        if (landed && _lostSince is { } since && !_places.Contains(-1))
        {
            _longestLoss = TimeSpan.FromTicks(Math.Max(_longestLoss.Ticks, (now - since).Ticks));
            _lostSince = null;
        }

        return landed;
    }

    private bool LoseHeads(TimeSpan now)
    {
        var lost = false;
        for (var head = 0; head < _places.Length; head++)
        {
            _coming[head] = IsGone(_coming[head]) ? -1 : _coming[head];
            if (IsGone(_places[head]))
            {
                _places[head] = -1;
                lost = true;
            }
        }

        _coordinator = IsGone(_coordinator) ? -1 : _coordinator;
        _lostSince = lost ? _lostSince ?? now : _lostSince;
        return lost || _coordinator < 0;

        bool IsGone(int silo) => silo >= 0 && !_fleet.Silos[silo].IsAlive;
    }

    // A head that is on its way counts as there.
    private PlanProblem Problem() => _fleet.Problem([.. _places.Zip(_coming, (place, coming) => coming >= 0 ? coming : place)], _coordinator);

    // No request is served while a head is lost, so that there is nothing to compare.
    private void Observe()
    {
        var problem = _fleet.Problem(_places, _coordinator);
        if (HeadPlanner.PredictPresent(problem) is { } predicted)
        {
            _ratio = predicted.TotalSeconds / SimulatedFleet.LowerBound(problem);
        }
    }

    private SimulationResult Result()
    {
        using var process = Process.GetCurrentProcess();
        return new SimulationResult(
            _disturbances.Slowdowns,
            _disturbances.Deaths,
            _disturbances.Joins,
            _plans,
            _planSeconds,
            _ratios[^1],
            _ratios.Average(),
            _ratios.Max(),
            _moved,
            _movedBytes,
            _longestLoss.TotalSeconds,
            process.PeakWorkingSet64);
    }
}
