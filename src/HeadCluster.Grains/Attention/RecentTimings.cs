namespace HeadCluster.Grains;

/// <summary>How long a head's requests took since it was activated, and how large they were.</summary>
/// <param name="since">When it was activated.</param>
internal sealed class RecentTimings(DateTimeOffset since)
{
    private readonly Part _total = new();
    private readonly Part _queue = new();
    private readonly Part _project = new();
    private readonly Part _attend = new();
    private long _rows;
    private long _outputBytes;

    /// <summary>Requests in all.</summary>
    public long Count { get; private set; }

    /// <summary>Projections and attention of a request together: what the head costs its silo. An average of the last requests.</summary>
    public TimeSpan RecentComputing => _project.Recent + _attend.Recent;

    /// <summary>Rows of a request, an average of the last requests.</summary>
    public double RecentRows { get; private set; }

    public void Add(HeadComputation computation)
    {
        Count++;
        _rows += computation.Rows;
        _outputBytes += computation.OutputBytes;
        RecentRows += (computation.Rows - RecentRows) * LastWeight(Count);
        _total.Add(computation.Queue + computation.Project + computation.Attend);
        _queue.Add(computation.Queue);
        _project.Add(computation.Project);
        _attend.Add(computation.Attend);
    }

    public HeadStatistics Describe(HeadId head, SiloAddress silo, long weightBytes) => new(
        head, silo, weightBytes, since, Count, _rows, _outputBytes, _total.Describe(), _queue.Describe(), _project.Describe(), _attend.Describe());

    // Of the last request in an average of the last ones: as much as each of the others, until there are so many.
    private static double LastWeight(long count) => 1.0 / Math.Min(count, 16);

    private sealed class Part
    {
        private readonly DurationHistogram _all = new();
        private double _recentTicks;

        public TimeSpan Recent => TimeSpan.FromTicks((long)Math.Round(_recentTicks));

        public void Add(TimeSpan duration)
        {
            _all.Add(duration);
            _recentTicks += (duration.Ticks - _recentTicks) * LastWeight(_all.Count);
        }

        public DurationStatistics Describe() => new(Recent, _all.Quantile(0.5), _all.Quantile(0.99), _all.Max);
    }
}
