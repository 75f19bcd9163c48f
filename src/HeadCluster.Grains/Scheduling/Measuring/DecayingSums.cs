namespace HeadCluster.Scheduling;

/// <summary>Two sums of which each summand loses half of its weight within a fixed time, so that their ratio is one of late. Thread-safe.</summary>
internal sealed class DecayingSums(TimeProvider time, TimeSpan halfLife)
{
    private readonly Lock _lock = new();
    private double _first;
    private double _second;
    private long _at = time.GetTimestamp();

    public void Add(double first, double second)
    {
        lock (_lock)
        {
            Decay();
            _first += first;
            _second += second;
        }
    }

    public (double First, double Second) Read()
    {
        lock (_lock)
        {
            Decay();
            return (_first, _second);
        }
    }

    private void Decay()
    {
        var now = time.GetTimestamp();
        var factor = Math.Pow(2, -(time.GetElapsedTime(_at, now) / halfLife));
        _first *= factor;
        _second *= factor;
        _at = now;
    }
}
