using System.Runtime.CompilerServices;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace HeadCluster.Scheduling;

/// <summary>The scheduler of one model: asks the silos what they can and have, has a plan made, and moves heads by it.</summary>
/// <remarks>
/// It knows nothing that it could not ask again but when heads last moved, so that it may be lost with its silo. Reentrant, since
/// plans are asked for while heads move; one set of moves is made at a time.
/// </remarks>
[GrainType("head-scheduler"), PreferLocalPlacement, Immovable, Reentrant]
internal sealed partial class HeadSchedulerGrain : Grain, IHeadSchedulerGrain
{
    private readonly SchedulingAgentClient _agents;
    private readonly ISiloStatusOracle _silos;
    private readonly ModelPlanner _planner;
    private readonly PlanBoard _board;
    private readonly HeadMover _mover;
    private readonly HeadInstruments _instruments;
    private readonly SchedulingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<HeadSchedulerGrain> _logger;
    private readonly SemaphoreSlim _moving = new(1);
    private readonly Dictionary<HeadId, DateTimeOffset> _moved = [];
    private DateTimeOffset? _coordinatorMoved;
    private PostedPlan? _posted;
    private long? _ticked;

    public HeadSchedulerGrain(
        SchedulingAgentClient agents,
        ISiloStatusOracle silos,
        ModelPlanner planner,
        PlanBoard board,
        HeadMover mover,
        HeadInstruments instruments,
        IOptions<HeadClusterOptions> options,
        TimeProvider time,
        ILogger<HeadSchedulerGrain> logger)
    {
        _agents = agents;
        _silos = silos;
        _planner = planner;
        _board = board;
        _mover = mover;
        _instruments = instruments;
        _options = options.Value.Scheduling;
        _time = time;
        _logger = logger;
    }

    private string Model => this.GetPrimaryKeyString();

    public async Task<PlanPreview> PreviewAsync(PlanRequest request, CancellationToken cancellationToken)
    {
        var draft = await DraftAsync(request, cancellationToken);
        return new PlanPreview(
            draft.Plan, draft.Present, draft.Moving.Count(), draft.Moving.Sum(head => draft.Problem.Heads[head].WeightBytes + draft.Problem.Heads[head].StateBytes));
    }

    public async IAsyncEnumerable<MoveReport> ApplyAsync(PlanRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await _moving.WaitAsync(cancellationToken);
        try
        {
            await foreach (var move in CarryOutAsync(await DraftAsync(request, cancellationToken), cancellationToken))
            {
                yield return move;
            }
        }
        finally
        {
            _moving.Release();
        }
    }

    public async IAsyncEnumerable<MoveReport> DrainAsync(SiloAddress silo, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!ActiveSilos().Contains(silo))
        {
            throw HeadClusterException.NotFound($"there is no silo {silo}; the cluster has {string.Join(", ", ActiveSilos().AsEnumerable())}");
        }

        await _agents.On(silo).DrainAsync(cancellationToken);
        await _moving.WaitAsync(cancellationToken);
        try
        {
            var request = new PlanRequest(OnlyIfWorthIt: true);
            var profiles = await ProfilesAsync(cancellationToken);
            if (!profiles.Any(profile => profile.Silo.Equals(silo) && profile.Heads.Length + profile.Coordinators.Length > 0))
            {
                await KeepAwayAsync(request, profiles, cancellationToken);
                yield break;
            }

            await foreach (var move in CarryOutAsync(Draft(request, profiles), cancellationToken))
            {
                yield return move;
            }
        }
        finally
        {
            _moving.Release();
        }
    }

    public async Task<MoveReport> MoveAsync(HeadId head, SiloAddress silo, CancellationToken cancellationToken)
    {
        if (head.Model != Model)
        {
            throw HeadClusterException.InvalidInput($"head {head} is not of model '{Model}'");
        }

        await _moving.WaitAsync(cancellationToken);
        try
        {
            var profiles = await ProfilesAsync(cancellationToken);
            var target = profiles.SingleOrDefault(profile => profile.Silo.Equals(silo))
                ?? throw HeadClusterException.NotFound($"there is no silo {silo}; the cluster has {string.Join(", ", profiles.Select(profile => profile.Silo))}");
            if (target.IsDraining)
            {
                throw HeadClusterException.InvalidInput($"silo {target.Name} is draining and takes no heads");
            }

            var problem = _planner.Problem(Model, _planner.Shape(Model, profiles, _board.Last(Model)), profiles);
            var load = problem.Heads.FirstOrDefault(known => known.Head == head);
            if (load.Head != head)
            {
                throw HeadClusterException.NotFound($"there is no head {head}; model '{Model}' has {problem.Heads.Count} heads, up to {problem.Heads[^1].Head}");
            }

            var from = profiles.FirstOrDefault(profile => profile.Heads.Contains(head))?.Silo;
            return silo.Equals(from) ? new MoveReport(head, from, silo, Bytes: 0, TimeSpan.Zero) : await MoveHeadAsync(load, from, silo, cancellationToken);
        }
        finally
        {
            _moving.Release();
        }
    }

    public async Task TickAsync(CancellationToken cancellationToken)
    {
        // Silos tick independently of each other, and one tick a period is enough.
        var now = _time.GetTimestamp();
        if (_moving.CurrentCount == 0 || (_ticked is { } last && _time.GetElapsedTime(last, now) < _options.Period / 2))
        {
            return;
        }

        _ticked = now;
        await foreach (var move in ApplyAsync(new PlanRequest(OnlyIfWorthIt: true), cancellationToken))
        {
            LogMoved(move.Head is { } head ? $"Head {head}" : $"Coordinators of {Model}", move.To, move.Elapsed.TotalMilliseconds);
        }
    }

    private SiloAddress[] ActiveSilos() => [.. _silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Order()];

    private async Task<SiloProfile[]> ProfilesAsync(CancellationToken cancellationToken)
    {
        var silos = ActiveSilos();
        return await Task.WhenAll(silos.Select(silo => _agents.On(silo).GetProfileAsync(Model, silos, cancellationToken)));
    }

    private async Task<MoveDraft> DraftAsync(PlanRequest request, CancellationToken cancellationToken) =>
        Draft(request, await ProfilesAsync(cancellationToken));

    private MoveDraft Draft(PlanRequest request, SiloProfile[] profiles)
    {
        var strategy = _planner.Strategy(request.Strategy);
        var now = _time.GetUtcNow();
        var last = _board.Last(Model);
        var problem = _planner.Problem(Model, request.Shape ?? _planner.Shape(Model, profiles, last), profiles, last: last) with
        {
            CoordinatorRests = request.OnlyIfWorthIt && MovePolicy.Rests(_coordinatorMoved, now),
        };
        var plan = HeadPlanner.Plan(problem, strategy);
        return new MoveDraft(
            problem,
            plan,
            PresentStrategy.Plan(problem),
            request.OnlyIfWorthIt ? MovePolicy.Judge(problem, plan, now, LastMoved(plan)) : PlanAdoption.All,
            ActivatesHeads: !request.OnlyIfWorthIt,
            profiles);
    }

    // A model of which a silo has nothing gets nothing there. If there is no plan for it, that is no matter of the silo's.
    private async Task KeepAwayAsync(PlanRequest request, SiloProfile[] profiles, CancellationToken cancellationToken)
    {
        try
        {
            await PostAsync(Draft(request, profiles) with { Adoption = PlanAdoption.None }, cancellationToken);
        }
        catch (HeadClusterException)
        {
        }
    }

    private async IAsyncEnumerable<MoveReport> CarryOutAsync(MoveDraft draft, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PostAsync(draft, cancellationToken);
        var coordinators = draft.MovingCoordinators.ToArray();
        var (done, total) = (0, draft.Moving.Count() + coordinators.Length);
        var present = draft.Problem.Present!.ToArray();
        var silos = draft.Problem.Silos.Select((silo, index) => (silo.Silo, index)).ToDictionary(entry => entry.Silo, entry => entry.index);
        var failures = new MoveFailures();
        while (NextMoves() is { Count: > 0 } moves)
        {
            var reports = Begin(moves);
            try
            {
                await foreach (var made in Task.WhenEach(reports))
                {
                    if (await made is { } report)
                    {
                        yield return report with { Done = ++done, Total = total };
                    }
                }
            }
            finally
            {
                // Orleans cancels also where the caller stops reading. One set of moves is made at a time, so none of this one may go on.
                await ((Task)Task.WhenAll(reports)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }

        foreach (var (coordinator, from) in coordinators)
        {
            if (await TryAsync(head: null, draft.Coordinator, () => MoveCoordinatorAsync(coordinator, from, draft.Coordinator, cancellationToken)) is { } report)
            {
                _coordinatorMoved = draft.ChangesCoordinator ? _time.GetUtcNow() : _coordinatorMoved;
                yield return report with { Done = ++done, Total = total };
            }
        }

        failures.Throw();

        List<HeadMove> NextMoves()
        {
            var now = _time.GetUtcNow();
            var lastMoved = draft.ActivatesHeads ? new DateTimeOffset?[present.Length] : LastMoved(draft.Plan);
            for (var head = 0; head < lastMoved.Length; head++)
            {
                // The next goes before it.
                lastMoved[head] = failures.Heads.Contains(draft.Plan.Heads[head].Head) ? now : lastMoved[head];
            }

            return [.. MovePolicy.Next(draft.Problem with { Present = present }, draft.Plan, draft.Adoption, now, lastMoved, failures.Silos)
                .Where(move => (draft.ActivatesHeads || draft.Places.ContainsKey(move.Head)) && !failures.Stop(move.Head, move.To))];
        }

        // Each silo gets one head at a time; silos do not wait for each other.
        List<Task<MoveReport?>> Begin(List<HeadMove> moves)
        {
            var last = new Dictionary<SiloAddress, Task<MoveReport?>>();
            return moves.ConvertAll(move => last[move.To] = MoveAfterAsync(last.GetValueOrDefault(move.To), move));
        }

        async Task<MoveReport?> MoveAfterAsync(Task<MoveReport?>? before, HeadMove move)
        {
            if (before is not null)
            {
                await before;
            }

            var load = draft.Problem.Heads[move.Index];
            var report = await TryAsync(
                move.Head, move.To, () => MoveHeadAsync(load, draft.Places.GetValueOrDefault(move.Head), move.To, cancellationToken));
            if (report is not null)
            {
                present[move.Index] = silos[move.To];
            }

            return report;
        }

        async Task<MoveReport?> TryAsync(HeadId? head, SiloAddress to, Func<Task<MoveReport>> move)
        {
            if (failures.Silos.Contains(to))
            {
                return null;
            }

            try
            {
                return await move();
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                failures.Add(head, to, exception);
                return null;
            }
        }
    }

    private DateTimeOffset?[] LastMoved(HeadPlan plan) =>
        Array.ConvertAll(plan.Heads, place => _moved.TryGetValue(place.Head, out var at) ? at : default(DateTimeOffset?));

    private async Task<MoveReport> MoveHeadAsync(HeadLoad load, SiloAddress? from, SiloAddress to, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        await _mover.MoveAsync(load.Head, from, to, cancellationToken);
        _moved[load.Head] = _time.GetUtcNow();
        if (from is not null)
        {
            _instruments.Moved(load.Head, from, to);
        }

        return new MoveReport(load.Head, from, to, load.WeightBytes, _time.GetElapsedTime(started));
    }

    private async Task<MoveReport> MoveCoordinatorAsync(GrainId coordinator, SiloAddress from, SiloAddress to, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        await _mover.MoveCoordinatorAsync(coordinator, to, cancellationToken);
        return new MoveReport(Head: null, from, to, Bytes: 0, _time.GetElapsedTime(started));
    }

    // Silos that do not hear of it place what they activate by what they heard before; it is moved at the next tick.
    private async Task PostAsync(MoveDraft draft, CancellationToken cancellationToken)
    {
        var inForce = draft.InForce;
        if (_posted is { } last
            && last.Plan.Coordinator.Equals(inForce.Coordinator)
            && last.Plan.Heads.AsSpan().SequenceEqual(inForce.Heads)
            && last.Profiles.Select(Place).SequenceEqual(draft.Profiles.Select(Place)))
        {
            return;
        }

        var posted = new PostedPlan(inForce, draft.Profiles);
        await Task.WhenAll(draft.Profiles.Select(profile => _agents.On(profile.Silo).PostAsync(posted, cancellationToken)));
        _posted = posted;

        // What is planned of a lost silo's heads goes by it.
        static (SiloAddress Silo, bool IsDraining) Place(SiloProfile profile) => (profile.Silo, profile.IsDraining);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{What} moved to {Silo} in {Milliseconds:0.0} ms")]
    private partial void LogMoved(string what, SiloAddress silo, double milliseconds);
}
