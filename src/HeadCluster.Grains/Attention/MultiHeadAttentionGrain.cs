using HeadCluster.Kernels;
using Orleans.Concurrency;
using Orleans.Placement;

namespace HeadCluster.Grains;

/// <summary>
/// The coordinator of one layer: fans x out to its heads, gathers them, concatenates them and applies W_O.
/// </summary>
/// <remarks>Beside its caller, since x is there, unless the model's plan says otherwise; reentrant, since it only waits while its heads compute.</remarks>
[GrainType("multi-head-attention"), CoordinatorPlacement, Immovable, KeepAlive, Reentrant]
internal sealed class MultiHeadAttentionGrain : CoordinatorGrain<LoadedLayer>, IMultiHeadAttentionGrain
{
    private readonly LayerServices _services;
    private LayerInstruments.OneLayer? _telemetry;
    private readonly ServedRequests<AttentionResult> _served = new();
    private LayerId _id;

    public MultiHeadAttentionGrain(ModelCatalog models, WeightLoader loader, ComputePool compute, LocalGrains local, LayerServices services)
        : base(models, loader, compute, local) => _services = services;

    protected override string Model => _id.Model;

    public Task<AttentionResult> AttendAsync(AttentionRequest request, CancellationToken cancellationToken) => _served.ServeAsync(
        request.Id,
        () => ServeAsync(request, cancellationToken),
        // A request from another process is answered to there. A caller in this one does with the output what it wants.
        whenUnshared: request.HasArrived ? static answer => answer.Output.ReleaseWhenSent() : null,
        cancellationToken);

    public override Task<bool> IsServingAsync(Guid request, CancellationToken cancellationToken) => Task.FromResult(_served.Contains(request));

    public Task PingHeadsAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Weights.Heads.Grains.Select(head => head.LocateAsync(cancellationToken)));

    protected override WeightLoad<LoadedLayer> PlanLoad()
    {
        _id = LayerId.Parse(this.GetPrimaryKeyString());
        return LoadedLayer.Plan(Models, GrainFactory, _id);
    }

    private async Task<AttentionResult> ServeAsync(AttentionRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await ServeAsync(Weights, request, cancellationToken);
        }
        catch (HeadClusterException exception) when (exception.Kind == HeadClusterErrorKind.OutOfMemory)
        {
            // Neither W_O nor the heads that did fit are of use without those that did not.
            await _services.Release.AllAsync(_id.Model, _id.Layer);
            throw;
        }
    }

    private async Task<AttentionResult> ServeAsync(LoadedLayer layer, AttentionRequest request, CancellationToken cancellationToken)
    {
        var lengths = SequenceInput.Lengths(request.SequenceLengths, request.Sequence, request.Input);
        var key = this.GetPrimaryKeyString();
        AttentionInput.Check(key, request.Input, lengths, layer.Model.ModelDim, layer.Model.MaxSequenceLength);
        var patterns = _services.Patterns.Bound(key, request.Patterns, layer.Model);
        SequenceInput.Check(key, request.Sequence, lengths, patterns, layer.Model);
        RequestSize.CheckLayer(_id, layer.Model, request.Input.Rows, lengths, patterns);
        TimeLimits.Check(request.TimeLimit);

        using var measured = (_telemetry ??= _services.Instruments.Of(_id)).Start(request.Input.Rows);
        using var deadline = new Deadline(request.TimeLimit, _services.Time, cancellationToken);
        var began = _services.Time.GetTimestamp();
        try
        {
            var z = new ArrivingHeads(HeadMatrix.Rent(request.Input.Rows, layer.Model.KvHeadCount, layer.Model.HeadShape().OutputDim));
            var x = AttentionInput.Round(key, request.Input, _services.WirePrecision);
            var input = new LayerInput(new ArrivingRows(x), lengths, patterns, request.Sequence, Compute.TakeTurn());
            using var call = new LayerCall(_services, layer.Heads, x, input, z, deadline);
            var projecting = ProjectAsync(layer.OutputWeights, z, layer.Heads.Routes.Count(_services.Here), input.Turn, call.End);
            try
            {
                await call.RunAsync(cancellationToken);
            }
            catch
            {
                // The call has ended it, since it waits for heads that nobody computes any more.
                await ((Task)projecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                throw;
            }

            var gathered = _services.Time.GetTimestamp();
            var output = await projecting;
            if (!call.HasLost)
            {
                Release(request, x, z.Matrix.Tensor);
            }

            _services.Served.Add(_id.Model, request is { Sequence.Past: > 0 and var past, Input.Rows: 1 }
                ? new RequestShape(past + 1, RequestPhase.Decode)
                : new RequestShape(lengths.Max()));
            var result = new AttentionResult(output, call.Reports, call.Silos)
            {
                Elapsed = _services.Time.GetElapsedTime(began),
                OutputProjection = _services.Time.GetElapsedTime(gathered),
            };
            measured.Complete(result);
            return result;
        }
        catch (OperationCanceledException) when (deadline.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            var missed = deadline.Missed($"layer {_id}", _services.Here, "the output projection");
            measured.Fail(missed);
            throw missed;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            measured.Fail(exception);
            throw;
        }
    }

    // Nobody reads the input or writes the outputs any more.
    private static void Release(AttentionRequest request, FloatTensor x, FloatTensor z)
    {
        z.Release();
        if (request.HasArrived)
        {
            request.Input.Release();
        }

        if (!ReferenceEquals(x, request.Input))
        {
            x.Release();
        }
    }

    private async Task<FloatTensor> ProjectAsync(PackedMatrix weights, ArrivingHeads z, int headsHere, long turn, CancellationToken cancellationToken)
    {
        var gathered = z.Matrix.Tensor;
        if (_services.WirePrecision == WirePrecision.Float32)
        {
            return await OutputProjection.ApplyAsync(Compute, weights, z, gathered, headsHere, turn, cancellationToken);
        }

        // Not in place: what a lost silo owed may still be written, and is not rounded.
        await z.WaitAsync(z.Matrix.Heads, cancellationToken);
        var rounded = gathered.RoundTo(_services.WirePrecision);
        var output = await OutputProjection.ApplyAsync(Compute, weights, z, rounded, headsHere, turn, cancellationToken);
        rounded.Release();
        return output;
    }
}
