using HeadCluster.Kernels;
using HeadCluster.Scheduling;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>One head: W_Q, W_K and W_V of its own, and the computation over them.</summary>
/// <remarks>
/// Kept alive, because its weights are what takes long to load, and immovable, because where heads are is the scheduler's
/// decision and not that of Orleans' rebalancers.
/// </remarks>
[GrainType(TypeName), HeadPlacement, Immovable, KeepAlive]
internal sealed class AttentionHeadGrain : ModelGrain<LoadedHead>, IAttentionHeadGrain, IGrainMigrationParticipant
{
    /// <summary>Orleans' name of this class, by which active heads are found.</summary>
    public const string TypeName = "attention-head";

    private const string SequencesKey = "sequences";

    private readonly LocalGrains _localGrains;
    private readonly HeadInstruments _instruments;
    private readonly PatternLimits _patterns;
    private readonly SequenceCaches _sequences;
    private readonly SiloSpeed _speed;
    private readonly SiloAddress _silo;
    private readonly TimeProvider _time;
    private readonly RecentTimings _timings;
    private HeadInstruments.OneHead? _telemetry;
    private HeadId _id;
    private LocalHead? _local;
    private SequenceState[]? _travelled;

    public AttentionHeadGrain(
        ModelCatalog models,
        WeightLoader loader,
        ComputePool compute,
        LocalGrains localGrains,
        HeadInstruments instruments,
        PatternLimits patterns,
        SequenceCaches sequences,
        SiloSpeed speed,
        ILocalSiloDetails silo,
        TimeProvider time)
        : base(models, loader, compute)
    {
        _localGrains = localGrains;
        _instruments = instruments;
        _patterns = patterns;
        _sequences = sequences;
        _speed = speed;
        _silo = silo.SiloAddress;
        _time = time;
        _timings = new RecentTimings(time.GetUtcNow());
    }

    public async Task<HeadResult> AttendAsync(HeadRequest request, CancellationToken cancellationToken)
    {
        var model = Weights.Model;
        var key = this.GetPrimaryKeyString();
        var lengths = SequenceInput.Lengths(request.SequenceLengths, request.Sequence, request.Input);
        AttentionInput.Check(key, request.Input, lengths, model.ModelDim, model.MaxSequenceLength);
        var patterns = _patterns.Bound(key, request.Patterns, model);
        SequenceInput.Check(key, request.Sequence, lengths, patterns, model);
        RequestSize.CheckHead(key, model, request.Input.Rows, lengths, Own(patterns));

        var z = HeadMatrix.Rent(request.Input.Rows, heads: 1, model.HeadShape().OutputDim);
        var input = new LayerInput(new ArrivingRows(request.Input), lengths, patterns, request.Sequence, Compute.TakeTurn());
        var report = await ComputeAsync(input, z.At(0), cancellationToken);
        return new HeadResult(z.Tensor, report);
    }

    public Task<SiloAddress> LocateAsync(CancellationToken cancellationToken)
    {
        _ = Weights;
        return Task.FromResult(_silo);
    }

    public Task<HeadStatistics> GetStatisticsAsync(CancellationToken cancellationToken) =>
        Task.FromResult(_timings.Describe(_id, _silo, Weights.Head.WeightBytes));

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await base.OnActivateAsync(cancellationToken);
        var travelled = _travelled ?? [];
        _travelled = null;
        if (LoadedWeights is not null)
        {
            _sequences.Restore(_id, travelled, LoadedWeights.Head);
            _local = new LocalHead(AttendAsync);
            _localGrains.Add(_id, _local);
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Leave();
        try
        {
            // Orleans has waited for the calls that it knows of.
            await (_local?.CloseAsync() ?? Task.CompletedTask).WaitAsync(cancellationToken);
        }
        finally
        {
            await base.OnDeactivateAsync(reason, cancellationToken);
            if (reason.ReasonCode != DeactivationReasonCode.Migrating)
            {
                _sequences.Forget(_id);
            }
        }
    }

    /// <remarks>Orleans asks for it once the grain is deactivated; the requests that it had have ended.</remarks>
    public void OnDehydrate(IDehydrationContext dehydrationContext) => dehydrationContext.TryAddValue(SequencesKey, _sequences.TakeAll(_id));

    /// <remarks>Orleans gives it before the grain is activated.</remarks>
    public void OnRehydrate(IRehydrationContext rehydrationContext) => rehydrationContext.TryGetValue(SequencesKey, out _travelled);

    protected override WeightLoad<LoadedHead> PlanLoad()
    {
        _id = HeadId.Parse(this.GetPrimaryKeyString());
        return LoadedHead.Plan(Models, _id);
    }

    protected override void Leave() => _localGrains.Remove(_id, GrainContext.Deactivated);

    // What is asked of this head.
    private PatternSelection? Own(PatternSelection? patterns) => patterns is not null && patterns.Includes(_id) ? patterns : null;

    // The layer's coordinator or the relay has checked the values of x, once for all heads of the silo, and held the patterns to the limits.
    private Task<HeadReport> AttendAsync(LayerInput input, HeadColumns output, CancellationToken cancellationToken)
    {
        var model = Weights.Model;
        var key = this.GetPrimaryKeyString();
        var (x, lengths, patterns, sequence, _) = input;
        AttentionInput.CheckShape(key, x.Rows, x.Columns, lengths, model.ModelDim, model.MaxSequenceLength);
        SequenceInput.Check(key, sequence, lengths, patterns, model);
        RequestSize.CheckHead(key, model, x.Rows, lengths, Own(patterns));
        return ComputeAsync(input, output, cancellationToken);
    }

    private async Task<HeadReport> ComputeAsync(LayerInput input, HeadColumns output, CancellationToken cancellationToken)
    {
        // For as long as it takes: the grain may let go of them meanwhile.
        var weights = Weights;
        using var measured = (_telemetry ??= _instruments.Of(_id)).Start(input.Rows.Rows);
        HeadComputation computation;
        try
        {
            using var kept = input.Sequence is { } sequence ? _sequences.Take(_id, sequence, weights.Head) : null;
            computation = new HeadComputation(weights.Head, _id.KvHead, input, kept?.Cache, output, Own(input.Patterns), _time);
            await computation.RunAsync(Compute, cancellationToken);
            kept?.Keep();
        }
        catch (Exception exception)
        {
            measured.Fail(exception);
            throw;
        }

        _timings.Add(computation);
        if (input.Sequence is not { Past: > 0 })
        {
            _speed.Add(ModelLoads.Operations(weights.Model, input.SequenceLengths), computation.Held, computation.Waking);
        }

        measured.Complete(computation);
        return new HeadReport(_id, _silo, computation.Queue, computation.Project, computation.Attend, computation.Patterns);
    }
}
