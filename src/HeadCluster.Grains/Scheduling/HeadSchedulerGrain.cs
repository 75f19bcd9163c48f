using System.Runtime.CompilerServices;
using System.Threading.Channels;
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
    private readonly HeadMover _mover;
    private readonly SchedulingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<HeadSchedulerGrain> _logger;
    private readonly SemaphoreSlim _moving = new(1);
    private readonly Dictionary<HeadId, long> _moved = [];
    private PostedPlan? _posted;
    private long? _ticked;

    public HeadSchedulerGrain(
        SchedulingAgentClient agents,
        ISiloStatusOracle silos,
        ModelPlanner planner,
        HeadMover mover,
        IOptions<HeadClusterOptions> options,
        TimeProvider time,
        ILogger<HeadSchedulerGrain> logger)
    {
        _agents = agents;
        _silos = silos;
        _planner = planner;
        _mover = mover;
        _options = options.Value.Scheduling;
        _time = time;
        _logger = logger;
    }

    private string Model => this.GetPrimaryKeyString();

    public async Task<PlanPreview> PreviewAsync(PlanRequest request, CancellationToken cancellationToken)
    {
        var draft = await DraftAsync(request, cancellationToken);
        return new PlanPreview(draft.Plan, draft.Present, draft.Steps.Length, draft.Steps.Sum(step => step.Bytes));
    }

    public async IAsyncEnumerable<HeadMove> ApplyAsync(PlanRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
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

    public async IAsyncEnumerable<HeadMove> DrainAsync(SiloAddress silo, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!ActiveSilos().Contains(silo))
        {
            throw HeadClusterException.NotFound($"there is no silo {silo}; the cluster has {string.Join(", ", ActiveSilos().AsEnumerable())}");
        }

        await _agents.On(silo).DrainAsync(cancellationToken);
        await foreach (var move in ApplyAsync(new PlanRequest(OnlyIfWorthIt: true), cancellationToken))
        {
            yield return move;
        }
    }

    public async Task<HeadMove> MoveAsync(HeadId head, SiloAddress silo, CancellationToken cancellationToken)
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

            var problem = _planner.Problem(Model, _planner.Shape(Model, profiles), profiles);
            var load = problem.Heads.FirstOrDefault(known => known.Head == head);
            if (load.Head != head)
            {
                throw HeadClusterException.NotFound($"there is no head {head}; model '{Model}' has {problem.Heads.Count} heads, up to {problem.Heads[^1].Head}");
            }

            var step = new MoveStep(head, Coordinator: default, profiles.FirstOrDefault(profile => profile.Heads.Contains(head))?.Silo, silo, load.WeightBytes);
            return step.From is not null && step.From.Equals(silo)
                ? new HeadMove(head, step.From, silo, Bytes: 0, TimeSpan.Zero)
                : await MoveAsync(step, cancellationToken);
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

    private async Task<MoveDraft> DraftAsync(PlanRequest request, CancellationToken cancellationToken)
    {
        var strategy = _planner.Strategy(request.Strategy);
        var profiles = await ProfilesAsync(cancellationToken);
        var problem = _planner.Problem(Model, request.Shape ?? _planner.Shape(Model, profiles), profiles);
        return MoveDraft.Of(problem, HeadPlanner.Plan(problem, strategy), profiles, request.OnlyIfWorthIt, SinceMoved);
    }

    private TimeSpan? SinceMoved(HeadId head) => _moved.TryGetValue(head, out var at) ? _time.GetElapsedTime(at) : null;

    // Each silo gets one head at a time; silos do not wait for each other.
    private async IAsyncEnumerable<HeadMove> CarryOutAsync(MoveDraft draft, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PostAsync(draft, cancellationToken);
        var made = Channel.CreateUnbounded<HeadMove>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var lanes = Task.WhenAll(draft.Steps.GroupBy(step => step.To).Select(LaneAsync));
        var closing = CloseAsync();
        try
        {
            var done = 0;
            await foreach (var move in made.Reader.ReadAllAsync(cancellationToken))
            {
                yield return move with { Done = ++done, Total = draft.Steps.Length };
            }
        }
        finally
        {
            // Whoever stops reading stops the moves.
            await end.CancelAsync();
            await closing;
        }

        async Task LaneAsync(IEnumerable<MoveStep> steps)
        {
            foreach (var step in steps)
            {
                await made.Writer.WriteAsync(await MoveAsync(step, end.Token), end.Token);
            }
        }

        async Task CloseAsync()
        {
            try
            {
                await lanes;
                made.Writer.Complete();
            }
            catch (Exception exception)
            {
                made.Writer.Complete(exception);
            }
        }
    }

    private async Task<HeadMove> MoveAsync(MoveStep step, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        if (step.Head is { } head)
        {
            await _mover.MoveAsync(head, step.From, step.To, cancellationToken);
            _moved[head] = _time.GetTimestamp();
        }
        else
        {
            await _mover.MoveCoordinatorAsync(step.Coordinator, step.To, cancellationToken);
        }

        return new HeadMove(step.Head, step.From, step.To, step.Bytes, _time.GetElapsedTime(started));
    }

    // Silos that do not hear of it place what they activate by what they heard before; it is moved at the next tick.
    private async Task PostAsync(MoveDraft draft, CancellationToken cancellationToken)
    {
        if (_posted is { } last && last.Plan.Coordinator.Equals(draft.InForce.Coordinator) && last.Plan.Heads.AsSpan().SequenceEqual(draft.InForce.Heads)
            && last.Profiles.Select(profile => profile.Silo).SequenceEqual(draft.Profiles.Select(profile => profile.Silo)))
        {
            return;
        }

        var posted = new PostedPlan(draft.InForce, draft.Profiles);
        await Task.WhenAll(draft.Profiles.Select(profile => _agents.On(profile.Silo).PostAsync(posted, cancellationToken)));
        _posted = posted;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{What} moved to {Silo} in {Milliseconds:0.0} ms")]
    private partial void LogMoved(string what, SiloAddress silo, double milliseconds);
}
