using System.Globalization;
using HeadCluster.Kernels;
using HeadCluster.Scheduling;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Grains;

/// <summary>
/// The relay of one silo: x comes in once, the heads are asked with the same immutable object, and one reply carries what all of them
/// computed. A head that is not here any more is only a slower one.
/// </summary>
internal sealed class HeadRelay : GrainService, IHeadRelay
{
    /// <summary>Blocks that are asked for at a time: while one is on its way, the next is being sent.</summary>
    private const int BlocksInFlight = 2;

    /// <summary>
    /// Raised where a silo of the version before would compute something else for a message than is meant, since it does not know all of it: one that
    /// knows nothing of sequences takes a row that goes on with one for all of it.
    /// </summary>
    private const int Version = 2;

    private readonly SiloAddress _here;
    private readonly ModelCatalog _models;
    private readonly HeadFanOut _heads;
    private readonly HeadRelayClient _relays;
    private readonly Exchanges _exchanges;
    private readonly SequenceCaches _sequences;
    private readonly ComputePool _compute;
    private readonly AnswerMeter _answers;
    private readonly Task<NumericsFingerprint> _fingerprint;
    private readonly TimeProvider _time;

    public HeadRelay(
        GrainId id,
        Silo silo,
        ILoggerFactory loggers,
        ModelCatalog models,
        HeadFanOut heads,
        HeadRelayClient relays,
        Exchanges exchanges,
        SequenceCaches sequences,
        ComputePool compute,
        AnswerMeter answers,
        Task<NumericsFingerprint> fingerprint,
        TimeProvider time)
        : base(id, silo, loggers)
    {
        _here = silo.SiloAddress;
        _models = models;
        _heads = heads;
        _relays = relays;
        _exchanges = exchanges;
        _sequences = sequences;
        _compute = compute;
        _answers = answers;
        _fingerprint = fingerprint;
        _time = time;
    }

    public async Task<RelayReply> AttendAsync(RelayRequest request, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var isIdle = _compute.Running == 0;
        var model = _models.Open(request.Layer).Configuration;
        var width = model.HeadShape().OutputDim;
        var where = request.Layer.ToString();
        var lengths = SequenceInput.Lengths(request.SequenceLengths, request.Sequence, request.Rows);
        AttentionInput.CheckShape(where, request.Rows, request.FirstRows.Columns, lengths, model.ModelDim, model.MaxSequenceLength);
        SequenceInput.Check(where, request.Sequence, lengths, request.Patterns, model);
        RequestSize.CheckLayer(request.Layer, model, request.Rows, lengths, request.Patterns);

        var x = new ArrivingRows(request.Rows, model.ModelDim);
        x.Add(request.FirstRows);
        var z = new HeadPieces(request.Rows, request.Heads.Length, width);

        // The coordinator ends the work too, unless it is lost.
        using var deadline = new Deadline(request.TimeLimit, _time, cancellationToken);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
        var arrival = ReceiveAsync(request, x, end.Token);
        var departures = new List<Task>();
        try
        {
            var input = new LayerInput(x, lengths, request.Patterns, request.Sequence, _compute.TakeTurn());

            var reports = await _heads.AttendAsync(request.Layer, request.Heads, z.Columns, input, Send, end.Token);
            var elapsed = _time.GetElapsedTime(started);

            // Otherwise it took other requests' time too, or that of rows that were on their way or of a head that is elsewhere.
            var isAlone = isIdle && _compute.LastTurn == input.Turn && request.Patterns is null && request.Sequence is not { Past: > 0 };
            if (isAlone && await arrival <= elapsed / 4 && Array.TrueForAll(reports, report => report.Silo.Equals(_here)))
            {
                _answers.Add(request.Heads.Length, ModelLoads.Operations(model, lengths), elapsed);
            }

            // All heads have read x and written z. After a failure some may still do so, and the memory is left to the collector.
            x.Release();

            await Task.WhenAll(departures);
            var (heads, last) = z.Last;
            if (TransferBlocks.FitsOne(last))
            {
                return new RelayReply(Rounded(last).ReleaseWhenSent(), reports, _time.GetElapsedTime(started));
            }

            await SendAsync(request, heads, Rounded(last), end.Token);
            return new RelayReply(Output: null, reports, _time.GetElapsedTime(started));
        }
        catch
        {
            // Nobody waits for the rest of x, nor for z.
            await end.CancelAsync();
            throw;
        }
        finally
        {
            await arrival;
            departures.ForEach(departure => departure.Ignore());
        }

        void Send(int place)
        {
            if (z.Complete(place) is not var (heads, output))
            {
                return;
            }

            var rounded = Rounded(output);
            if (rounded.Rows > TransferBlocks.Rows(rounded.Columns))
            {
                departures.Add(SendAsync(request, heads, rounded, end.Token));
                return;
            }

            // Nobody here need know whether it has come: the coordinator waits for the piece, and each answer would take the processor from
            // heads, there and here.
            _relays.On(request.Origin).BringAsync(request.Exchange, request.Heads[heads], rounded.ReleaseWhenSent()).Ignore();
        }

        FloatTensor Rounded(FloatTensor output)
        {
            var rounded = output.RoundTo(request.FirstRows.Precision);
            if (!ReferenceEquals(rounded, output))
            {
                output.Release();
            }

            return rounded;
        }
    }

    public async Task<string> GetFingerprintAsync(CancellationToken cancellationToken) => Contract(await _fingerprint);

    /// <summary>By what silos that give the same bits for the same messages know each other.</summary>
    public static string Contract(NumericsFingerprint fingerprint) => string.Create(CultureInfo.InvariantCulture, $"{Version}-{fingerprint.Hash}");

    public Task<FloatTensor> ReadRowsAsync(Guid exchange, int firstRow, int rows, CancellationToken cancellationToken) =>
        Task.FromResult(_exchanges.Find(exchange).Read(firstRow, rows));

    public Task WriteRowsAsync(Guid exchange, int[] heads, int firstRow, FloatTensor rows, CancellationToken cancellationToken)
    {
        _exchanges.Find(exchange).Write(heads, firstRow, rows);
        rows.Release();
        return Task.CompletedTask;
    }

    public Task BringAsync(Guid exchange, int[] heads, FloatTensor rows)
    {
        _exchanges.TryFind(exchange)?.Write(heads, firstRow: 0, rows);
        rows.Release();
        return Task.CompletedTask;
    }

    public Task ForgetAsync(Guid sequence)
    {
        _sequences.Forget(sequence);
        return Task.CompletedTask;
    }

    // Asks for the rest of x, block by block. A failure is that of the rows: the heads that wait for them get it. Returns what it took.
    private async Task<TimeSpan> ReceiveAsync(RelayRequest request, ArrivingRows x, CancellationToken cancellationToken)
    {
        if (x.IsComplete)
        {
            return TimeSpan.Zero;
        }

        var began = _time.GetTimestamp();
        var origin = _relays.On(request.Origin);
        var blocks = new Queue<Task<FloatTensor>>();
        try
        {
            var block = TransferBlocks.Rows(x.Columns);
            for (var asked = x.Arrived; !x.IsComplete;)
            {
                for (; asked < x.Rows && blocks.Count < BlocksInFlight; asked += block)
                {
                    blocks.Enqueue(origin.ReadRowsAsync(request.Exchange, asked, Math.Min(block, x.Rows - asked), cancellationToken));
                }

                x.Add(await blocks.Dequeue());
            }
        }
        catch (Exception exception)
        {
            x.Fail(exception);
            foreach (var abandoned in blocks)
            {
                abandoned.Ignore();
            }
        }

        return _time.GetElapsedTime(began);
    }

    private async Task SendAsync(RelayRequest request, Range heads, FloatTensor output, CancellationToken cancellationToken)
    {
        var origin = _relays.On(request.Origin);
        var block = TransferBlocks.Rows(output.Columns);
        for (var row = 0; row < output.Rows; row += block)
        {
            var rows = output.RowRange(row, Math.Min(block, output.Rows - row));
            await origin.WriteRowsAsync(request.Exchange, request.Heads[heads], row, rows, cancellationToken);
        }

        output.Release();
    }
}
