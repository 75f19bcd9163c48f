using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>How fast this silo computes: as its kernels do undisturbed, and as its heads did lately.</summary>
internal sealed class SiloSpeed
{
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(1);

    /// <summary>A silo that has not been seen computing for this long may be as fast again as it once was.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(1);

    /// <summary>Computing that says something, in seconds.</summary>
    private const double Enough = 1e-3;

    private readonly Lock _lock = new();
    private readonly DecayingSums _computed;
    private readonly ComputePool _compute;
    private readonly TimeProvider _time;
    private Task<Calibration>? _calibration;
    private (double Speed, long At)? _last;

    public SiloSpeed(ComputePool compute, TimeProvider time)
    {
        _compute = compute;
        _time = time;
        _computed = new DecayingSums(time, HalfLife);
    }

    /// <summary>A head has computed. What is so small that calls outweigh it says nothing about speed.</summary>
    /// <param name="operations">Floating-point operations.</param>
    /// <param name="elapsed">Time that it held a thread for.</param>
    public void Add(double operations, TimeSpan elapsed)
    {
        if (operations >= ComputePool.InlineOperations)
        {
            _computed.Add(operations, elapsed.TotalSeconds);
        }
    }

    /// <summary>What the heads did lately, operations a second and thread; null if nobody knows.</summary>
    public double? Measured()
    {
        var (operations, seconds) = _computed.Read();
        lock (_lock)
        {
            if (seconds >= Enough)
            {
                _last = (operations / seconds, _time.GetTimestamp());
            }
            else if (_last is { } last && _time.GetElapsedTime(last.At) > Forgotten)
            {
                _last = null;
            }

            return _last?.Speed;
        }
    }

    /// <summary>What the kernels do undisturbed; measured when it is first asked for.</summary>
    public Task<Calibration> CalibrateAsync()
    {
        lock (_lock)
        {
            return _calibration is null or { IsFaulted: true } or { IsCanceled: true }
                ? _calibration = Calibration.MeasureAsync(_compute, _time)
                : _calibration;
        }
    }
}
