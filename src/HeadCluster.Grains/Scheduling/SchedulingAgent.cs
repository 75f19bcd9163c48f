using HeadCluster.Grains;
using HeadCluster.Kernels;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Scheduling;

/// <summary>The scheduling agent of one silo.</summary>
internal sealed class SchedulingAgent : GrainService, ISchedulingAgent
{
    private readonly ILocalSiloDetails _silo;
    private readonly IGrainFactory _grains;
    private readonly ModelCatalog _models;
    private readonly WeightLoader _loader;
    private readonly WeightMemory _memory;
    private readonly ComputePool _compute;
    private readonly LocalGrains _local;
    private readonly SiloSpeed _speed;
    private readonly AnswerMeter _answers;
    private readonly ServedRequestShapes _served;
    private readonly LinkMeter _links;
    private readonly PlanBoard _board;
    private readonly SiloDrain _drain;

    public SchedulingAgent(
        GrainId id,
        Silo silo,
        ILoggerFactory loggers,
        ILocalSiloDetails details,
        IGrainFactory grains,
        ModelCatalog models,
        WeightLoader loader,
        WeightMemory memory,
        ComputePool compute,
        LocalGrains local,
        SiloSpeed speed,
        AnswerMeter answers,
        ServedRequestShapes served,
        LinkMeter links,
        PlanBoard board,
        SiloDrain drain)
        : base(id, silo, loggers)
    {
        _silo = details;
        _grains = grains;
        _models = models;
        _loader = loader;
        _memory = memory;
        _compute = compute;
        _local = local;
        _speed = speed;
        _answers = answers;
        _served = served;
        _links = links;
        _board = board;
        _drain = drain;
    }

    public async Task<SiloProfile> GetProfileAsync(string model, SiloAddress[] silos, CancellationToken cancellationToken)
    {
        var calibration = await _speed.CalibrateAsync();
        await _links.MeasureNewAsync(silos, cancellationToken);

        // Known the next time: a thread may take long to wake up, and a silo to answer.
        _speed.ProbeStartAsync().Ignore();
        _links.MeasureAgainAsync(silos).Ignore();
        return new SiloProfile(
            _silo.SiloAddress,
            _silo.Name,
            _drain.IsDraining,
            _compute.ThreadCount,
            calibration.OperationsPerSecond,
            _speed.Measured(),
            calibration.ReadBytesPerSecond,
            _memory.AvailableTo(model),
            _local.HeadsOf(model),
            _local.CoordinatorsOf(model),
            _served.Of(model),
            _links.Links,
            _speed.Start(),
            _answers.Slowdown(),
            _speed.Sustained());
    }

    public Task ReceiveAsync(FloatTensor payload, CancellationToken cancellationToken)
    {
        payload.Release();
        return Task.CompletedTask;
    }

    public async Task PrepareAsync(HeadId head, CancellationToken cancellationToken)
    {
        await _local.WaitUntilGoneAsync(head, cancellationToken);
        if (_local.Find(head) is not null)
        {
            return;
        }

        await _loader.PrepareAsync(LoadedHead.Plan(_models, head), cancellationToken);
    }

    public Task DiscardAsync(HeadId head, CancellationToken cancellationToken)
    {
        _loader.Discard(LoadedHead.Plan(_models, head).Owner);
        return Task.CompletedTask;
    }

    public Task ArriveAsync(HeadId head, CancellationToken cancellationToken) => _local.WaitForAsync(head, cancellationToken);

    public async Task PrepareCoordinatorAsync(GrainId coordinator, CancellationToken cancellationToken)
    {
        await _local.WaitUntilGoneAsync(coordinator, cancellationToken);
        if (_local.Has(coordinator))
        {
            return;
        }

        await (IsLayer(coordinator, out var layer)
            ? _loader.PrepareAsync(LoadedLayer.Plan(_models, _grains, layer), cancellationToken)
            : _loader.PrepareAsync(TransformerBody.Plan(_models, coordinator.Key.ToString()!), cancellationToken));
    }

    public Task DiscardCoordinatorAsync(GrainId coordinator, CancellationToken cancellationToken)
    {
        _loader.Discard(IsLayer(coordinator, out var layer)
            ? LoadedLayer.Plan(_models, _grains, layer).Owner
            : TransformerBody.Plan(_models, coordinator.Key.ToString()!).Owner);
        return Task.CompletedTask;
    }

    public Task ArriveCoordinatorAsync(GrainId coordinator, CancellationToken cancellationToken) => _local.WaitForAsync(coordinator, cancellationToken);

    public Task PostAsync(PostedPlan plan, CancellationToken cancellationToken)
    {
        _board.Post(plan);
        return Task.CompletedTask;
    }

    public Task ReleaseAsync(string model, int? layer, CancellationToken cancellationToken)
    {
        var heads = _local.HeadsOf(model)
            .Where(head => layer is null || head.Layer == layer)
            .Select(head => _grains.GetGrain<IAttentionHeadGrain>(head.ToString()))
            .ToArray<IWeightGrain>();
        var coordinators = _local.CoordinatorsOf(model)
            .Where(coordinator => layer is null || (IsLayer(coordinator, out var id) && id.Layer == layer))
            .Select(_grains.GetGrain<IWeightGrain>);
        return Task.WhenAll(coordinators.Concat(heads).Select(grain => grain.ReleaseAsync()));
    }

    public Task DrainAsync(CancellationToken cancellationToken)
    {
        _drain.Begin();
        return Task.CompletedTask;
    }

    // A model's name has no slash.
    private static bool IsLayer(GrainId coordinator, out LayerId layer) => LayerId.TryParse(coordinator.Key.ToString()!, out layer);
}
