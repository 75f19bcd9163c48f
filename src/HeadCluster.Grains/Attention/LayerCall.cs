using System.Runtime.ExceptionServices;

namespace HeadCluster.Grains;

/// <summary>
/// One request of a layer: x goes to each silo once, and z comes back. What a lost silo owed is asked again of wherever its
/// heads come back; asking twice is harmless, since the same x gives the same bits.
/// </summary>
/// <remarks>All of it runs in the turns of the layer's coordinator.</remarks>
internal sealed class LayerCall : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What was sent before a reply is there with it or is being read. It can only have been lost with a connection, and the silo is asked
    /// again then; too early is no harm but the work.
    /// </summary>
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    private readonly LayerServices _services;
    private readonly LayerHeads _layer;
    private readonly FloatTensor _x;
    private readonly LayerInput _input;
    private readonly ArrivingHeads _z;
    private readonly Deadline _deadline;
    private readonly CancellationTokenSource _end;
    private readonly HeadReport?[] _reports;
    private readonly List<SiloReport> _silos = [];
    private Exchanges.Exchange? _exchange;

    // First blocks of x, to all silos so far, in bytes: they leave through one link, each after those before.
    private long _firstBlocks;
    private Exception? _failure;

    /// <param name="services">What the coordinators of this silo share.</param>
    /// <param name="layer">The layer's heads, and where each was seen last.</param>
    /// <param name="x">The layer's input, checked.</param>
    /// <param name="input">The same and how to attend, for heads of this silo.</param>
    /// <param name="z">Where the outputs belong, each at the index of its head.</param>
    /// <param name="deadline">Ends the work on every silo.</param>
    public LayerCall(
        LayerServices services,
        LayerHeads layer,
        FloatTensor x,
        LayerInput input,
        ArrivingHeads z,
        in Deadline deadline)
    {
        _services = services;
        _layer = layer;
        _x = x;
        _input = input;
        _z = z;
        _deadline = deadline;
        _end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
        _reports = new HeadReport?[layer.Grains.Length];
    }

    /// <summary>One report a head, in their order, once z is whole.</summary>
    public HeadReport[] Reports => _reports!;

    /// <summary>Ends the work on every silo: the time has passed, the caller gave up, or a head has failed.</summary>
    public CancellationToken End => _end.Token;

    /// <summary>Whether a silo was lost: heads there may still be writing z, though nobody waits for them.</summary>
    public bool HasLost { get; private set; }

    /// <summary>One report a silo that served.</summary>
    public SiloReport[] Silos => [.. _silos];

    /// <summary>Has all heads compute.</summary>
    /// <exception cref="HeadClusterException">A head refused, its silo could not be reached for too long, or the time has passed.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await ServeAllAsync(_layer.Routes.Groups);
        cancellationToken.ThrowIfCancellationRequested();
        if (_deadline.HasPassed && _failure is null or OperationCanceledException && Pending().ToArray() is { Length: > 0 } pending)
        {
            throw _deadline.Missed($"layer {_layer.Id}", _services.Here, string.Join(" and ", _layer.Routes.Group(pending).AsEnumerable()));
        }

        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _exchange?.Dispose();
        _end.Dispose();
    }

    private Task ServeAllAsync(HeadGroup[] groups) =>
        groups is [var only]
            ? ServeAsync(only, Recovery.None)
            // What has to travel first.
            : Task.WhenAll(groups.OrderBy(group => _services.Here.Equals(group.Silo)).Select(group => ServeAsync(group, Recovery.None)));

    private async Task ServeAsync(HeadGroup group, Recovery recovery)
    {
        try
        {
            if (group.Silo is null)
            {
                await LocateAsync(group, recovery);
            }
            else
            {
                await SendAsync(group.Silo, group.Heads);
            }
        }
        catch (Exception exception) when (SiloLoss.Is(exception) && !_end.IsCancellationRequested)
        {
            await RecoverAsync(group, exception, recovery);
        }
        catch (Exception exception)
        {
            await FailAsync(exception);
        }
    }

    private async Task SendAsync(SiloAddress silo, int[] heads)
    {
        var bytes = _x.BytesPerElement * ((long)_x.Length + ((long)_x.Rows * heads.Length * _z.Matrix.Width));
        using var passage = await _services.InFlight.EnterAsync(silo, bytes, _end.Token);
        var sent = _services.Time.GetTimestamp();
        HeadReport[] reports;
        TimeSpan? computing = null;
        if (silo.Equals(_services.Here))
        {
            bytes = 0;
            reports = await _services.Heads.AttendAsync(
                _layer.Id, heads, Array.ConvertAll(heads, _z.Matrix.At), _input, place => _z.Add(heads[place]), _end.Token);
        }
        else
        {
            _exchange ??= _services.Exchanges.Open(_x, _z);
            var (_, lengths, patterns, sequence, _) = _input;
            var first = TransferBlocks.First(_x);
            var travelling = _firstBlocks += (long)first.Length * first.BytesPerElement;
            var call = _services.Relays.On(silo).AttendAsync(
                new RelayRequest(
                    _layer.Id,
                    heads,
                    _exchange.Id,
                    _services.Here,
                    _x.Rows,
                    first,
                    SequenceInput.Travelling(lengths, sequence),
                    patterns,
                    sequence,
                    _deadline.Remaining),
                _end.Token);
            if (_services.Silos.IsDeadSilo(silo))
            {
                // Orleans ends the calls to a silo when that is found dead, but one that is made afterwards it lets wait. Looked at
                // after the call was made, so that nothing falls between.
                call.Ignore();
                throw new SiloUnavailableException($"silo {silo} is dead");
            }

            var reply = await call;
            if (reply.Output is { } output)
            {
                travelling += (long)output.Length * output.BytesPerElement;
                _exchange.Write(heads[^(output.Columns / _z.Matrix.Width)..], firstRow: 0, output);
                output.Release();
            }

            await _z.WaitForAsync(heads, _end.Token).WaitAsync(LongestDelay, _services.Time, _end.Token);
            (reports, computing) = (reply.Reports, reply.Elapsed);
            if (passage.IsAlone && reply.Output is not null)
            {
                _services.Links.Add(silo, travelling, _services.Time.GetElapsedTime(sent) - reply.Elapsed);
            }
        }

        for (var i = 0; i < heads.Length; i++)
        {
            _reports[heads[i]] = reports[i];
            _layer.Routes.Set(heads[i], reports[i].Silo);
        }

        var elapsed = _services.Time.GetElapsedTime(sent);
        _silos.Add(new SiloReport(silo, heads.Length, elapsed, computing ?? elapsed, bytes));
    }

    // Small calls, which activate heads that are not active, so that x is sent to where they are.
    private async Task LocateAsync(HeadGroup group, Recovery recovery)
    {
        Exception? loss = null;
        Exception? refusal = null;
        await Task.WhenAll(group.Heads.Select(LocateAsync));
        if (refusal is not null)
        {
            await FailAsync(refusal);
            return;
        }

        var located = _layer.Routes.Group(group.Heads);
        await Task.WhenAll(located.Select(part => part.Silo is null
            // Another request may have lost a silo that was found meanwhile.
            ? RecoverAsync(part, loss ?? new SiloUnavailableException("its silo was lost"), recovery)
            : ServeAsync(part, recovery with { Pause = FirstPause })));

        async Task LocateAsync(int head)
        {
            try
            {
                _layer.Routes.Set(head, await HeadCalls.FindAsync(_layer.Grains[head], _services.Time, _end.Token));
            }
            catch (Exception exception) when (SiloLoss.Is(exception))
            {
                loss ??= exception;
            }
            catch (Exception exception)
            {
                refusal ??= exception;
            }
        }
    }

    private async Task RecoverAsync(HeadGroup lost, Exception exception, Recovery recovery)
    {
        HasLost = true;
        _layer.Routes.Forget(lost);
        var since = recovery.Since ?? _services.Time.GetTimestamp();
        var elapsed = _services.Time.GetElapsedTime(since);
        if (_end.IsCancellationRequested)
        {
            return;
        }

        if (elapsed + recovery.Pause > _services.RecoveryTimeout)
        {
            await FailAsync(SiloLoss.Unreachable(_layer.Id, lost, elapsed, Pending(), exception));
            return;
        }

        try
        {
            await Task.Delay(recovery.Pause, _services.Time, _end.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        _services.Instruments.Retried(_layer.Id);
        await ServeAsync(lost with { Silo = null }, recovery.Next(since));
    }

    private IEnumerable<int> Pending() => Enumerable.Range(0, _reports.Length).Where(head => _reports[head] is null);

    // Nobody will read what the other heads compute.
    private async Task FailAsync(Exception exception)
    {
        _failure ??= exception;
        await _end.CancelAsync();
    }

    /// <summary>What a loss of heads has led to so far.</summary>
    /// <param name="Since">When they were lost first, as a timestamp; null if they were not.</param>
    /// <param name="Pause">Before they are asked again.</param>
    private readonly record struct Recovery(long? Since, TimeSpan Pause)
    {
        public static Recovery None => new(Since: null, FirstPause);

        /// <summary>After one more loss, of heads that were lost at that time first.</summary>
        public Recovery Next(long since) => new(since, Pause + Pause < LongestPause ? Pause + Pause : LongestPause);
    }
}
