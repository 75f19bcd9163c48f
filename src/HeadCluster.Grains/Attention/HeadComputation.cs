using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>One head's computation for one request, on whatever thread it runs, with the time each part took.</summary>
internal sealed class HeadComputation
{
    private readonly AttentionHead _head;
    private readonly HeadRequest _request;
    private readonly TimeProvider _time;
    private readonly long _queued;

    public HeadComputation(AttentionHead head, HeadRequest request, TimeProvider time)
    {
        _head = head;
        _request = request;
        _time = time;
        _queued = time.GetTimestamp();
    }

    /// <summary>Floating-point operations it takes.</summary>
    public long Operations
    {
        get
        {
            var operations = _head.Shape.ProjectOperations(_request.Input.Rows);
            foreach (var length in _request.SequenceLengths)
            {
                operations += _head.Shape.AttendOperations(length, length);
            }

            return operations;
        }
    }

    /// <summary>z, <c>[rows, OutputDim]</c>.</summary>
    public FloatTensor? Output { get; private set; }

    /// <summary>For each sequence <c>[QueryHeads, length, length]</c>; null unless asked for.</summary>
    public FloatTensor[]? Patterns { get; private set; }

    public TimeSpan Queue { get; private set; }

    public TimeSpan Project { get; private set; }

    public TimeSpan Attend { get; private set; }

    public void Run(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var rows = _request.Input.Rows;
        using var projected = _head.Project(_request.Input.Span, rows, cancellationToken);
        var attending = _time.GetTimestamp();

        var output = GC.AllocateUninitializedArray<float>(rows * _head.Shape.OutputDim);
        _head.Attend(projected, _request.SequenceLengths, output, cancellationToken);
        var ended = _time.GetTimestamp();

        Queue = _time.GetElapsedTime(_queued, started);
        Project = _time.GetElapsedTime(started, attending);
        Attend = _time.GetElapsedTime(attending, ended);
        Output = new FloatTensor(output, rows, _head.Shape.OutputDim);
        Patterns = _request.CapturePattern ? CapturePatterns(projected, cancellationToken) : null;
    }

    private FloatTensor[] CapturePatterns(ProjectedHead projected, CancellationToken cancellationToken)
    {
        var patterns = new FloatTensor[_request.SequenceLengths.Length];
        var first = 0;
        for (var i = 0; i < patterns.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = _request.SequenceLengths[i];
            var pattern = new float[checked(_head.Shape.QueryHeads * length * length)];
            _head.Pattern(projected, first, length, pattern);
            patterns[i] = new FloatTensor(pattern, _head.Shape.QueryHeads, length, length);
            first += length;
        }

        return patterns;
    }
}
