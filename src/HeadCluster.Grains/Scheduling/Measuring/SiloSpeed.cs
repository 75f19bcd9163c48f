using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>How fast this silo computes: as its kernels do undisturbed, and as its heads did lately.</summary>
internal sealed class SiloSpeed
{
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(1);

    /// <summary>What was seen longer ago than this says little: a silo without heads may have become faster or slower.</summary>
    private static readonly TimeSpan Outdated = TimeSpan.FromMinutes(1);

    /// <summary>Longer than any time slice, so that a processor that is shared looks so.</summary>
    private static readonly TimeSpan Sustained = TimeSpan.FromSeconds(0.4);

    /// <summary>Computing that says something, in seconds: of several requests, since the first is often disturbed by what it begins.</summary>
    private const double Enough = 0.05;

    private readonly Lock _lock = new();
    private readonly DecayingSums _computed;
    private readonly ComputePool _compute;
    private readonly TimeProvider _time;
    private Task<Calibration>? _calibration;
    private Task _measuringAgain = Task.CompletedTask;
    private (double Speed, long At)? _last;

    public SiloSpeed(ComputePool compute, TimeProvider time)
    {
        _compute = compute;
        _time = time;
        _computed = new DecayingSums(time, HalfLife);
    }

    /// <summary>A head has computed. What is so small that calls outweigh it says nothing about speed.</summary>
    /// <param name="operations">Floating-point operations.</param>
    /// <param name="elapsed">
    /// Time that it held a thread for, with what the thread took to go on from one head to the next: where others share the processor, a
    /// thread loses it between heads as well as within them.
    /// </param>
    public void Add(double operations, TimeSpan elapsed)
    {
        if (operations >= ComputePool.InlineOperations)
        {
            _computed.Add(operations, elapsed.TotalSeconds);
        }
    }

    /// <summary>
    /// What the heads did lately, operations a second and thread; where they did nothing for a while, what the kernels are measured to
    /// do then. Null if no head has computed.
    /// </summary>
    public double? Measured()
    {
        var (operations, seconds) = _computed.Read();
        lock (_lock)
        {
            if (seconds >= Enough)
            {
                _last = (operations / seconds, _time.GetTimestamp());
            }
            else if (_last is { } last && _time.GetElapsedTime(last.At) > Outdated && _measuringAgain.IsCompleted)
            {
                _measuringAgain = MeasureAgainAsync();
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

    private async Task MeasureAgainAsync()
    {
        var speed = await Calibration.SustainAsync(_compute, _time, Sustained);
        lock (_lock)
        {
            _last = (speed, _time.GetTimestamp());
        }
    }
}
