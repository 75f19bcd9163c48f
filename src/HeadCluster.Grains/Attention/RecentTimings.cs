namespace HeadCluster.Grains;

/// <summary>How long the parts of a head's last requests took.</summary>
internal sealed class RecentTimings
{
    private const int Window = 128;

    private readonly TimeSpan[] _queue = new TimeSpan[Window];
    private readonly TimeSpan[] _project = new TimeSpan[Window];
    private readonly TimeSpan[] _attend = new TimeSpan[Window];

    /// <summary>Requests in all.</summary>
    public long Count { get; private set; }

    public TimeSpan QueueP50 => Median(_queue);

    public TimeSpan ProjectP50 => Median(_project);

    public TimeSpan AttendP50 => Median(_attend);

    public void Add(HeadComputation computation)
    {
        var slot = Count++ % Window;
        _queue[slot] = computation.Queue;
        _project[slot] = computation.Project;
        _attend[slot] = computation.Attend;
    }

    private TimeSpan Median(TimeSpan[] window)
    {
        var sorted = window[..(int)Math.Min(Count, Window)];
        Array.Sort(sorted);
        return sorted.Length == 0 ? TimeSpan.Zero : sorted[sorted.Length / 2];
    }
}
