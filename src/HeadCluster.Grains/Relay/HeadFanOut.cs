using System.Globalization;
using System.Runtime.ExceptionServices;

namespace HeadCluster.Grains;

/// <summary>Asks heads for their outputs, all at once: those of this silo by reference, others by ordinary grain calls.</summary>
internal sealed class HeadFanOut
{
    private readonly IGrainFactory _grains;
    private readonly LocalGrains _local;
    private readonly SiloAddress _here;
    private readonly TimeProvider _time;

    public HeadFanOut(IGrainFactory grains, LocalGrains local, ILocalSiloDetails silo, TimeProvider time)
    {
        _grains = grains;
        _local = local;
        _here = silo.SiloAddress;
        _time = time;
    }

    /// <summary>
    /// Calls every head and gathers their reports in the order of the heads. When one fails, the others are cancelled, since
    /// nobody will read what they compute, and the first failure is thrown.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="heads">Indices of the heads.</param>
    /// <param name="outputs">Where z of each of them belongs.</param>
    /// <param name="input">x and how to attend.</param>
    /// <param name="answered">Called for each that has written z, with its place among the heads, in the caller's turns.</param>
    /// <param name="cancellationToken">Ends the heads' work.</param>
    public async Task<HeadReport[]> AttendAsync(
        LayerId layer, int[] heads, HeadColumns[] outputs, LayerInput input, Action<int> answered, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        using var siblings = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? failure = null;
        var calls = new Task<HeadReport?>[heads.Length];
        for (var i = 0; i < heads.Length; i++)
        {
            calls[i] = CallAsync(i);
        }

        var reports = await Task.WhenAll(calls);
        cancellationToken.ThrowIfCancellationRequested();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return reports!;

        async Task<HeadReport?> CallAsync(int place)
        {
            var head = layer.Head(heads[place]);
            try
            {
                var report = await AttendAsync(head, input, outputs[place], siblings.Token);
                answered(place);
                return report;
            }
            catch (Exception exception)
            {
                // All calls of one fan-out run in the turns of one activation, so nothing races for the first place.
                failure ??= SiloLoss.Is(exception) ? exception : Explain(exception, head);
                await siblings.CancelAsync();
                return null;
            }
        }

        HeadClusterException Explain(Exception exception, HeadId head)
        {
            var pending = heads.Where((other, i) => other != head.KvHead && calls[i] is not { IsCompleted: true });
            var kind = exception is HeadClusterException known ? known.Kind : HeadClusterErrorKind.Internal;
            return new HeadClusterException(kind, string.Create(
                CultureInfo.InvariantCulture,
                $"head {head} asked by silo {_here} failed after {_time.GetElapsedTime(started).TotalSeconds:0.000} s, with heads [{string.Join(", ", pending)}] pending: {exception.Message.ReplaceLineEndings(" ")}"));
        }
    }

    private async Task<HeadReport> AttendAsync(HeadId head, LayerInput input, HeadColumns output, CancellationToken cancellationToken)
    {
        if (_local.Find(head)?.TryAttend(input, output, cancellationToken) is { } attending)
        {
            return await attending;
        }

        // Not here, about to leave, or not active: an ordinary call finds or activates it, wherever that is.
        var x = await input.Rows.WholeAsync(cancellationToken);
        var request = new HeadRequest(x, SequenceInput.Travelling(input.SequenceLengths, input.Sequence), input.Patterns, input.Sequence);
        var result = await HeadCalls.AttendAsync(_grains.GetGrain<IAttentionHeadGrain>(head.ToString()), request, _time, cancellationToken);
        output.Write(result.Output);
        result.Output.Release();
        return result.Report;
    }
}
