using HeadCluster.Kernels;
using Orleans.Concurrency;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>
/// The coordinator of one layer: fans x out to its heads, gathers them, concatenates them and applies W_O.
/// </summary>
/// <remarks>Beside its caller, since x is there, unless the model's plan says otherwise; reentrant, since it only waits while its heads compute.</remarks>
[GrainType("multi-head-attention"), CoordinatorPlacement, Immovable, Reentrant]
internal sealed class MultiHeadAttentionGrain : CoordinatorGrain<LoadedLayer>, IMultiHeadAttentionGrain
{
    private readonly LayerServices _services;
    private readonly HeadInstruments _instruments;
    private readonly ServedRequests<AttentionResult> _served = new();
    private LayerId _id;

    public MultiHeadAttentionGrain(
        ModelCatalog models, WeightLoader loader, ComputePool compute, LocalGrains local, LayerServices services, HeadInstruments instruments)
        : base(models, loader, compute, local)
    {
        _services = services;
        _instruments = instruments;
    }

    protected override string Model => _id.Model;

    public Task<AttentionResult> AttendAsync(AttentionRequest request, CancellationToken cancellationToken) =>
        _served.ServeAsync(request.Id, () => ServeAsync(request, cancellationToken), cancellationToken);

    public override Task<bool> IsServingAsync(Guid request, CancellationToken cancellationToken) => Task.FromResult(_served.Contains(request));

    public Task PingHeadsAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Weights.Heads.Grains.Select(head => head.LocateAsync(cancellationToken)));

    public override async Task ReleaseAsync()
    {
        await WeightRelease.AllAsync(LoadedWeights?.Heads.Grains ?? []);
        LetGo();
    }

    protected override WeightLoad<LoadedLayer> PlanLoad()
    {
        _id = LayerId.Parse(this.GetPrimaryKeyString());
        return LoadedLayer.Plan(Models, GrainFactory, _id);
    }

    private async Task<AttentionResult> ServeAsync(AttentionRequest request, CancellationToken cancellationToken)
    {
        var layer = Weights;
        int[] lengths = request.SequenceLengths ?? [request.Input is { Rank: 2 } x ? x.Rows : 0];
        var key = this.GetPrimaryKeyString();
        AttentionInput.Check(key, request.Input, lengths, layer.Model.ModelDim, layer.Model.MaxSequenceLength);
        var patterns = _services.Patterns.Bound(key, request.Patterns, layer.Model);
        RequestSize.CheckLayer(_id, layer.Model, request.Input.Rows, lengths, patterns);

        using var measured = _instruments.StartAttention(_id, request.Input.Rows);
        try
        {
            var z = HeadMatrix.Rent(request.Input.Rows, layer.Model.KvHeadCount, layer.Model.HeadShape().OutputDim);
            using var call = new LayerCall(_services, layer.Heads, request with { Patterns = patterns }, lengths, z, cancellationToken);
            await call.RunAsync(cancellationToken);
            var output = await ProjectAsync(layer.OutputWeights, z.Tensor, cancellationToken);
            if (!call.HasLost)
            {
                z.Tensor.Release();
            }

            _services.Served.Add(_id.Model, lengths.Max());
            measured.Complete();
            return new AttentionResult(output, call.Reports, call.Silos);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            measured.Fail();
            if (exception is HeadClusterException { Kind: HeadClusterErrorKind.OutOfMemory })
            {
                // Neither W_O nor the heads that did fit are of use without those that did not.
                await ReleaseAsync();
            }

            throw;
        }
    }

    // y = Concat(z_1 … z_h) W_O + b_O.
    private async Task<FloatTensor> ProjectAsync(PackedMatrix weights, FloatTensor z, CancellationToken cancellationToken)
    {
        using var activity = HeadInstruments.StartOutputProjection();
        var output = FloatTensor.Rent(out var y, z.Rows, weights.Outputs);
        await Compute.RunRowsAsync(
            z.Rows,
            2L * weights.Inputs * weights.Outputs,
            (first, count, token) => LinearKernel.Apply(
                z.Span.Slice(first * weights.Inputs, count * weights.Inputs), count, weights, y.AsSpan(first * weights.Outputs, count * weights.Outputs), token),
            cancellationToken);
        return output;
    }
}
