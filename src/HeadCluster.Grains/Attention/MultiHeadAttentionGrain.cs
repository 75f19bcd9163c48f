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
    private readonly HeadInstruments _instruments;
    private LayerId _id;

    public MultiHeadAttentionGrain(ModelCatalog models, WeightMemory memory, ComputePool compute, HeadInstruments instruments)
        : base(models, memory, compute) => _instruments = instruments;

    public async Task<AttentionResult> AttendAsync(AttentionRequest request, CancellationToken cancellationToken)
    {
        var layer = Weights;
        int[] lengths = request.SequenceLengths ?? [request.Input is { Rank: 2 } x ? x.Rows : 0];
        var key = this.GetPrimaryKeyString();
        AttentionInput.Check(key, request.Input, lengths, layer.Model.ModelDim, layer.Model.MaxSequenceLength);
        RequestSize.CheckLayer(key, layer.Model, request.Input.Rows, lengths, request.CapturePatterns);

        using var measured = _instruments.StartAttention(_id, request.Input.Rows);
        try
        {
            var heads = await FanOut.GatherAsync(
                layer.Heads,
                (head, token) => head.AttendAsync(new HeadRequest(request.Input, lengths, request.CapturePatterns), token),
                cancellationToken);
            var output = await ProjectAsync(layer, heads, request.Input.Rows, cancellationToken);

            measured.Complete();
            return new AttentionResult(output, Array.ConvertAll(heads, head => head.Report));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            measured.Fail();
            if (exception is HeadClusterException { Kind: HeadClusterErrorKind.OutOfMemory })
            {
                // The fan-out has let go of the heads; W_O is of no use without them.
                LetGo();
            }

            throw;
        }
    }

    public override async Task ReleaseAsync()
    {
        await WeightRelease.AllAsync(LoadedWeights?.Heads ?? []);
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
            () => new LoadedLayer(heads, model.ReadOutputProjection(_id.Layer).Pack(configuration.WeightFormat()), configuration));
    }

    // y = Concat(z_1 … z_h) W_O + b_O; each thread concatenates the rows that it projects.
    private async Task<FloatTensor> ProjectAsync(LoadedLayer layer, HeadResult[] heads, int rows, CancellationToken cancellationToken)
    {
        using var activity = HeadInstruments.StartOutputProjection();
        var weights = layer.OutputWeights;
        var y = GC.AllocateUninitializedArray<float>(rows * weights.Outputs);
        await Compute.RunRowsAsync(
            rows,
            2L * weights.Inputs * weights.Outputs,
            (first, count, token) => OutputProjection.Apply(heads, first, count, weights, y, token),
            cancellationToken);
        return new FloatTensor(y, rows, weights.Outputs);
    }
}

/// <summary>A layer's heads and W_O, and the sizes of its model.</summary>
/// <param name="Heads">One reference a key/value head.</param>
/// <param name="OutputWeights">W_O and b_O, from HeadCount · ValueDim to ModelDim.</param>
/// <param name="Model">The sizes.</param>
internal sealed record LoadedLayer(IAttentionHeadGrain[] Heads, PackedMatrix OutputWeights, ModelConfiguration Model);
