using HeadCluster.Kernels;
using HeadCluster.Models;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>One head: W_Q, W_K and W_V of its own, and the computation over them.</summary>
/// <remarks>
/// Kept alive, because its weights are what takes long to load, and immovable, because where heads are is the scheduler's
/// decision and not that of Orleans' rebalancers.
/// </remarks>
[GrainType(TypeName), HeadPlacement, Immovable, KeepAlive]
internal sealed class AttentionHeadGrain : ModelGrain<LoadedHead>, IAttentionHeadGrain
{
    /// <summary>Orleans' name of this class, by which active heads are found.</summary>
    public const string TypeName = "attention-head";

    private readonly HeadInstruments _instruments;
    private readonly SiloAddress _silo;
    private readonly TimeProvider _time;
    private readonly RecentTimings _timings = new();
    private HeadId _id;

    public AttentionHeadGrain(
        ModelCatalog models,
        WeightMemory memory,
        ComputePool compute,
        HeadInstruments instruments,
        ILocalSiloDetails silo,
        TimeProvider time)
        : base(models, memory, compute)
    {
        _instruments = instruments;
        _silo = silo.SiloAddress;
        _time = time;
    }

    public async Task<HeadResult> AttendAsync(HeadRequest request, CancellationToken cancellationToken)
    {
        var (head, model) = Weights;
        var key = this.GetPrimaryKeyString();
        AttentionInput.Check(key, request.Input, request.SequenceLengths, model.ModelDim, model.MaxSequenceLength);
        RequestSize.CheckHead(key, model, request.Input.Rows, request.SequenceLengths, request.CapturePattern);

        using var measured = _instruments.StartHead(_id, request.Input.Rows);
        var computation = new HeadComputation(head, request, _time);
        await Compute.RunAsync(computation.Operations, computation.Run, cancellationToken);

        _timings.Add(computation);
        measured.Complete(computation);
        var report = new HeadReport(_id, _silo, computation.Queue, computation.Project, computation.Attend, computation.Patterns);
        return new HeadResult(computation.Output!, report);
    }

    public Task<HeadStatistics> GetStatisticsAsync(CancellationToken cancellationToken) => Task.FromResult(new HeadStatistics(
        _id, _silo, Weights.Head.WeightBytes, _timings.Count, _timings.QueueP50, _timings.ProjectP50, _timings.AttendP50));

    protected override WeightLoad<LoadedHead> PlanLoad()
    {
        _id = HeadId.Parse(this.GetPrimaryKeyString());
        var model = Models.Open(_id);
        var shape = model.Configuration.HeadShape();
        var format = model.Configuration.WeightFormat();
        return new($"head {_id}", PackedMatrix.SizeOf(shape.ModelDim, shape.ProjectionDim, format), () =>
        {
            var (query, key, value) = model.ReadHead(_id.Layer, _id.KvHead);
            var head = new AttentionHead(shape, model.Configuration.AttentionOptions(), query.ToPart(format), key.ToPart(format), value.ToPart(format));
            return new LoadedHead(head, model.Configuration);
        });
    }
}

/// <summary>A head's weights, and the sizes of its model.</summary>
internal sealed record LoadedHead(AttentionHead Head, ModelConfiguration Model);
