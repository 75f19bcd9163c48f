using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>
/// One head's computation for one request, with the time each part took: rows are projected as they arrive, and when the last
/// is there, they attend.
/// </summary>
internal sealed class HeadComputation
{
    private readonly AttentionHead _head;
    private readonly ArrivingRows _input;
    private readonly int[] _sequenceLengths;
    private readonly KvCache? _cache;
    private readonly PatternSelection? _patterns;
    private readonly HeadColumns _output;
    private readonly ComputeOrder _order;
    private readonly TimeProvider _time;
    private readonly long _began;
    private TimeSpan _delays;

    /// <param name="head">The head.</param>
    /// <param name="place">Its place in the layer: the output projection takes heads in their order, so that the first go first.</param>
    /// <param name="input">x and how to attend.</param>
    /// <param name="cache">Keys and values of the positions before, to which those of the rows are added; null for sequences that are whole.</param>
    /// <param name="output">Where z belongs.</param>
    /// <param name="patterns">What of its patterns to capture, within limits; null for nothing.</param>
    /// <param name="time">The clock.</param>
    public HeadComputation(
        AttentionHead head, int place, LayerInput input, KvCache? cache, HeadColumns output, PatternSelection? patterns, TimeProvider time)
    {
        _head = head;
        (_input, _sequenceLengths, _, _, var turn) = input;
        _cache = cache;
        _order = new ComputeOrder(turn, place, output.Together);
        _patterns = patterns;
        _output = output;
        _time = time;
        _began = time.GetTimestamp();
    }

    /// <summary>Rows of x.</summary>
    public int Rows => _input.Rows;

    /// <summary>Size of z, in bytes.</summary>
    public long OutputBytes => (long)_input.Rows * _head.Shape.OutputDim * sizeof(float);

    /// <summary>One a sequence; null unless asked for.</summary>
    public HeadPattern[]? Patterns { get; private set; }

    /// <summary>The wait for rows and for compute threads.</summary>
    public TimeSpan Queue { get; private set; }

    public TimeSpan Project { get; private set; }

    public TimeSpan Attend { get; private set; }

    /// <summary>What a thread of the pool had of it: the parts, and how long it took to go on with them.</summary>
    public TimeSpan Held => _delays + Project + Attend;

    /// <summary>What a thread took to wake up for it; null if none had to.</summary>
    public TimeSpan? Waking { get; private set; }

    /// <summary>From the request to the last value of z: what the parts add up to.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Computes z into its place.</summary>
    public async Task RunAsync(ComputePool pool, CancellationToken cancellationToken)
    {
        var queued = _began;
        var projected = default(ProjectedHead?);
        try
        {
            for (var row = 0; row < _input.Rows;)
            {
                var (first, end) = (row, await _input.WaitAsync(row, cancellationToken));
                await pool.RunAsync(
                    Operations(first, end),
                    token =>
                    {
                        // Not before there is a thread for it: memory is what heads that wait would hold on to.
                        queued = RunStep(projected ??= _head.Prepare(_input.Rows), first, end, queued, token);
                        if (end == _input.Rows)
                        {
                            // On the thread that takes the next head's, so that it finds this one's.
                            projected.Value.Dispose();
                            projected = null;
                        }
                    },
                    end == _input.Rows ? _order : _order with { Together = 1 },
                    cancellationToken);
                row = end;
            }
        }
        finally
        {
            projected?.Dispose();
        }
    }

    private long Operations(int first, int end)
    {
        var operations = _head.Shape.ProjectOperations(end - first);
        if (end == _input.Rows && _cache is not null)
        {
            operations += _head.Shape.AttendOperations(end, _cache.Length + end);
        }
        else if (end == _input.Rows)
        {
            foreach (var length in _sequenceLengths)
            {
                operations += _head.Shape.AttendOperations(length, length);
            }
        }

        return operations;
    }

    // Returns when it ended.
    private long RunStep(ProjectedHead projected, int first, int end, long queued, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        _delays += ComputePool.StartDelay;
        Waking ??= ComputePool.WakeDelay;
        for (var row = first; row < end;)
        {
            var count = _input.Read(row, end - row, out var rows);
            _head.ProjectRows(rows, row, count, projected, cancellationToken);
            row += count;
        }

        var ended = _time.GetTimestamp();
        Queue += _time.GetElapsedTime(queued, started);
        Project += _time.GetElapsedTime(started, ended);
        if (end < _input.Rows)
        {
            return ended;
        }

        if (_cache is null)
        {
            _head.Attend(projected, _sequenceLengths, _output.Span, _output.Stride, cancellationToken);
        }
        else
        {
            _head.Attend(projected, 0, _input.Rows, _cache, _output.Span, _output.Stride, cancellationToken);
        }

        var attended = _time.GetTimestamp();
        Attend = _time.GetElapsedTime(ended, attended);
        Elapsed = _time.GetElapsedTime(_began, attended);
        Patterns = _patterns is null ? null : PatternCapture.Of(_head, projected, _sequenceLengths, _patterns, cancellationToken);
        return ended;
    }
}
