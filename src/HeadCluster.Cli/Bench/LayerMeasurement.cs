using System.Runtime.InteropServices;
using System.Security.Cryptography;
using HeadCluster.Kernels;
using HeadCluster.Models;
using HeadCluster.Reference;
using HeadCluster.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;

namespace HeadCluster.Cli.Bench;

/// <summary>
/// Times one layer from within its coordinator's silo: x goes to the coordinator by reference. Every output is compared bit for
/// bit with the first, and where every head was with where it belongs, outside of what is timed.
/// </summary>
internal sealed class LayerMeasurement
{
    private readonly IGrainFactory _grains;
    private readonly ComputePool _pool;
    private readonly TimeProvider _time;
    private readonly BenchShape _shape;
    private readonly SiloAddress[] _silos;
    private readonly SiloAddress[] _places;
    private readonly IMultiHeadAttentionGrain _layer;
    private readonly IHeadSchedulerGrain _scheduler;
    private readonly AttentionRequest _request;
    private readonly Lazy<AttentionLayer> _plain;
    private readonly float[] _plainOutput;
    private FloatTensor? _first;

    /// <param name="silo">The services of this silo.</param>
    /// <param name="shape">The layer.</param>
    /// <param name="silos">The cluster's silos, this one first.</param>
    /// <param name="places">For each head the index of its silo.</param>
    public LayerMeasurement(IServiceProvider silo, BenchShape shape, SiloAddress[] silos, int[] places)
    {
        _grains = silo.GetRequiredService<IGrainFactory>();
        _pool = silo.GetRequiredService<ComputePool>();
        _time = silo.GetRequiredService<TimeProvider>();
        _shape = shape;
        _silos = silos;
        _places = [.. places.Select(place => silos[place])];
        _layer = _grains.GetGrain<IMultiHeadAttentionGrain>(shape.Layer.ToString());
        _scheduler = _grains.GetGrain<IHeadSchedulerGrain>(shape.Model);
        _request = new AttentionRequest(BenchInput.Of(shape));
        _plain = new(() =>
        {
            using var model = ModelLocation.Open(shape.Model);
            return PlainLayer.Load(model, layer: 0);
        });
        _plainOutput = new float[shape.Rows * shape.ModelDim];
    }

    /// <summary>SHA-256 of the output's bits.</summary>
    public string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Bits(_first!.Span)));

    /// <summary>Brings every head to its silo, and the coordinator here.</summary>
    public async Task PlaceAsync(CancellationToken cancellationToken)
    {
        for (var head = 0; head < _places.Length; head++)
        {
            await _scheduler.MoveAsync(_shape.Layer.Head(head), _places[head], cancellationToken);
        }

        using var hint = PlacementHint.On(_silos[0]);
        var management = _grains.GetGrain<IManagementGrain>(0);

        // A call activates it here if it is not active; if it is so elsewhere, it has to come.
        await _layer.PingHeadsAsync(cancellationToken);
        while (!_silos[0].Equals(await management.GetActivationAddress(_layer)))
        {
            await _layer.Cast<IGrainManagementExtension>().MigrateOnIdle();
            await _layer.PingHeadsAsync(cancellationToken);
        }
    }

    /// <summary>Has the scheduler plan for requests such as this one, by what it saw of those before.</summary>
    public async Task<WorkerPlan> PlanAsync(CancellationToken cancellationToken)
    {
        var (plan, present, _, _) = await _scheduler.PreviewAsync(new PlanRequest(PlanStrategies.Measured, new RequestShape(_shape.Rows)), cancellationToken);
        return new WorkerPlan(
            Array.IndexOf(_silos, plan.Coordinator),
            [.. plan.Heads.Select(place => Array.IndexOf(_silos, place.Silo))],
            plan.Predicted.TotalSeconds,
            present!.Predicted.TotalSeconds,
            plan.Reason);
    }

    /// <summary>Does something as often as asked.</summary>
    public async Task<CallTimes[]> RunAsync(
        Func<CancellationToken, Task<CallTimes>> measure, Amount amount, CancellationToken cancellationToken)
    {
        var calls = new List<CallTimes>();
        for (var began = _time.GetTimestamp(); calls.Count < amount.Calls || Seconds(began) < amount.Seconds;)
        {
            calls.Add(await measure(cancellationToken));
        }

        return [.. calls];
    }

    /// <summary>Times one call of the layer.</summary>
    public async Task<CallTimes> AttendAsync(CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        var result = await _layer.AttendAsync(_request, cancellationToken);
        var seconds = Seconds(began);
        CheckPlaces(result);
        if (_first is null)
        {
            _first = result.Output;
        }
        else
        {
            // Given back as by any caller of a layer that makes more than one call.
            CheckBits(result.Output.Span, "two calls");
            result.Output.Release();
        }

        var transfer = result.Silos.Where(report => !report.Silo.Equals(_silos[0])).Select(report => report.Elapsed - report.Computing).DefaultIfEmpty().Max();
        return new CallTimes(seconds, transfer.TotalSeconds / seconds);
    }

    /// <summary>Times calls of the layer, the plain loop on the same threads, and the calls without the work.</summary>
    public async Task<CallTimes> CompareAsync(CancellationToken cancellationToken)
    {
        // A B B A, taken as a whole: what follows its like is faster than what follows the other.
        var plain = await PlainAsync(cancellationToken);
        var first = await AttendAsync(cancellationToken);
        var second = await AttendAsync(cancellationToken);
        plain = (plain + await PlainAsync(cancellationToken)) / 2;

        var began = _time.GetTimestamp();
        await _layer.PingHeadsAsync(cancellationToken);
        return first with { Layer = (first.Layer + second.Layer) / 2, Plain = plain, Empty = Seconds(began) };
    }

    private async Task<double> PlainAsync(CancellationToken cancellationToken)
    {
        var layer = _plain.Value;
        var began = _time.GetTimestamp();
        await layer.AttendAsync(_request.Input.Memory, _shape.Rows, _plainOutput, _pool, caches: null, cancellationToken);
        var seconds = Seconds(began);
        CheckBits(_plainOutput, "the grains and the plain loop");
        return seconds;
    }

    private double Seconds(long began) => _time.GetElapsedTime(began).TotalSeconds;

    private void CheckBits(ReadOnlySpan<float> output, string what)
    {
        if (!Bits(output).SequenceEqual(Bits(_first!.Span)))
        {
            throw new BenchFailure($"{_shape}: the outputs of {what} are not the same bits");
        }
    }

    private void CheckPlaces(AttentionResult result)
    {
        foreach (var report in result.Heads)
        {
            if (!report.Silo.Equals(_places[report.Head.KvHead]))
            {
                throw new BenchFailure($"{_shape}: head {report.Head.KvHead} is on {report.Silo}; expected {_places[report.Head.KvHead]}");
            }
        }

        // Nothing travels to the coordinator's own silo.
        if (_places.Contains(_silos[0]) && !result.Silos.Any(report => report.Bytes == 0 && report.Silo.Equals(_silos[0])))
        {
            throw new BenchFailure($"{_shape}: the coordinator is not on {_silos[0]}");
        }
    }

    private static ReadOnlySpan<byte> Bits(ReadOnlySpan<float> values) => MemoryMarshal.AsBytes(values);
}
