using HeadCluster.Kernels;
using HeadCluster.Models;
using Orleans.Concurrency;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>
/// The coordinator of one layer: fans x out to its heads, gathers them, concatenates them and applies W_O.
/// </summary>
/// <remarks>Local to its caller, since x is there; reentrant, since it only waits while its heads compute.</remarks>
[GrainType("multi-head-attention"), PreferLocalPlacement, Reentrant]
internal sealed class MultiHeadAttentionGrain : ModelGrain<LoadedLayer>, IMultiHeadAttentionGrain
{
    private readonly LayerServices _services;
    private LayerInstruments.OneLayer? _telemetry;
    private readonly ServedRequests<AttentionResult> _served = new();
    private LayerId _id;

    public MultiHeadAttentionGrain(ModelCatalog models, WeightMemory memory, ComputePool compute, LayerServices services)
        : base(models, memory, compute) => _services = services;

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
        var model = Models.Open(_id);
        var configuration = model.Configuration;
        var heads = new IAttentionHeadGrain[configuration.KvHeadCount];
        for (var head = 0; head < heads.Length; head++)
        {
            heads[head] = GrainFactory.GetGrain<IAttentionHeadGrain>(_id.Head(head).ToString());
        }

        return new(
            $"layer {_id}",
            PackedMatrix.SizeOf(configuration.HeadCount * configuration.ValueDim, configuration.ModelDim, configuration.WeightFormat()),
            () => new LoadedLayer(new LayerHeads(_id, heads, new HeadRoutes(heads.Length)), model.ReadOutputProjection(_id.Layer).Pack(configuration.WeightFormat()), configuration));
    }

    private async Task<AttentionResult> ServeAsync(AttentionRequest request, CancellationToken cancellationToken)
    {
        var layer = Weights;
        int[] lengths = request.SequenceLengths ?? [request.Input is { Rank: 2 } x ? x.Rows : 0];
        var key = this.GetPrimaryKeyString();
        AttentionInput.Check(key, request.Input, lengths, layer.Model.ModelDim, layer.Model.MaxSequenceLength);
        RequestSize.CheckLayer(key, layer.Model, request.Input.Rows, lengths, request.CapturePatterns);

        using var measured = (_telemetry ??= _services.Instruments.Of(_id)).Start(request.Input.Rows);
        var began = _services.Time.GetTimestamp();
        try
        {
            var z = HeadMatrix.Rent(request.Input.Rows, layer.Model.KvHeadCount, layer.Model.HeadShape().OutputDim);
            using var call = new LayerCall(_services, layer.Heads, request, lengths, z, cancellationToken);
            await call.RunAsync(cancellationToken);
            var gathered = _services.Time.GetTimestamp();
            var output = await ProjectAsync(layer.OutputWeights, z.Tensor, cancellationToken);
            if (!call.HasLost)
            {
                z.Tensor.Release();
            }

            var result = new AttentionResult(output, call.Reports, call.Silos)
            {
                Elapsed = _services.Time.GetElapsedTime(began),
                OutputProjection = _services.Time.GetElapsedTime(gathered),
            };
            measured.Complete(result);
            return result;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            measured.Fail(exception);
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
        using var span = new SpanScope(Spans.StartLeaf("output_projection"));
        var output = FloatTensor.Rent(out var y, z.Rows, weights.Outputs);
        await Compute.RunRowsAsync(
            z.Rows,
            2L * weights.Inputs * weights.Outputs,
            (first, count, token) => LinearKernel.Apply(
                z.Span.Slice(first * weights.Inputs, count * weights.Inputs), count, weights, y.AsSpan(first * weights.Outputs, count * weights.Outputs), token),
            cancellationToken);
        span.Complete();
        return output;
    }
}

/// <summary>A layer's heads and W_O, and the sizes of its model.</summary>
/// <param name="Heads">The heads.</param>
/// <param name="OutputWeights">W_O and b_O, from HeadCount · ValueDim to ModelDim.</param>
/// <param name="Model">The sizes.</param>
internal sealed record LoadedLayer(LayerHeads Heads, PackedMatrix OutputWeights, ModelConfiguration Model);
