namespace HeadCluster.Silo;

/// <summary>What the cluster does, asked once for all who look at the same time.</summary>
internal sealed class ClusterView
{
    // Looking more often shows nothing new to people.
    private static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(500);

    // A cluster that has just lost a silo may take long to answer; who looks is told, and looks again.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private Task<ClusterStatus>? _status;
    private long _asked;

    public ClusterView(IGrainFactory grains, TimeProvider time)
    {
        _grains = grains;
        _time = time;
    }

    /// <summary>The status, at most half a second old.</summary>
    /// <exception cref="TimeoutException">The cluster takes too long to tell.</exception>
    public Task<ClusterStatus> StatusAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_status is null || (_status.IsCompleted && _time.GetElapsedTime(_asked) >= Freshness))
            {
                // Of none who looks, since others may wait for it too.
                _status = _grains.GetGrain<IClusterStatusGrain>(0).GetStatusAsync(CancellationToken.None);
                _asked = _time.GetTimestamp();
            }

            return WaitAsync(_status, cancellationToken);
        }
    }

    /// <summary>The last captured request of a model; null if there is none.</summary>
    /// <exception cref="TimeoutException">The cluster takes too long to tell.</exception>
    public Task<CapturedRequest?> CaptureAsync(string model, CancellationToken cancellationToken) =>
        WaitAsync(Captured(model).GetAsync(cancellationToken), cancellationToken);

    /// <summary>One pattern of it; null if there is none.</summary>
    /// <exception cref="TimeoutException">The cluster takes too long to tell.</exception>
    public Task<HeadPattern?> PatternAsync(Guid capture, HeadId head, int sequence, CancellationToken cancellationToken) =>
        WaitAsync(Captured(head.Model).GetPatternAsync(capture, head, sequence, cancellationToken), cancellationToken);

    private ICapturedPatternsGrain Captured(string model) => _grains.GetGrain<ICapturedPatternsGrain>(model);

    private Task<T> WaitAsync<T>(Task<T> answer, CancellationToken cancellationToken) => answer.WaitAsync(Patience, _time, cancellationToken);
}
