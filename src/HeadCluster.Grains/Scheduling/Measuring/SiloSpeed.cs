using HeadCluster.Kernels;

namespace HeadCluster.Scheduling;

/// <summary>How fast this silo computes, as its kernels do undisturbed, as its heads did lately and without pause, and how soon it begins.</summary>
internal sealed class SiloSpeed
{
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(1);

    /// <summary>Longer than that of speed, since a silo without heads wakes a thread only as often as it is asked what it does.</summary>
    private static readonly TimeSpan HalfLifeOfWakings = TimeSpan.FromSeconds(2);

    /// <summary>What was seen longer ago than this says little: a silo without heads may have become faster or slower.</summary>
    private static readonly TimeSpan Outdated = TimeSpan.FromMinutes(1);

    /// <summary>A thread that begins later than this shares its processor, so that what the kernels do undisturbed says nothing.</summary>
    private static readonly TimeSpan Undisturbed = TimeSpan.FromMilliseconds(1);

    /// <summary>Longer than any time slice, so that a processor that is shared looks so.</summary>
    private static readonly TimeSpan WithoutPause = TimeSpan.FromSeconds(0.4);

    /// <summary>Where others share the processor, a thread that computes without pause does less than this part of what the kernels do undisturbed.</summary>
    private const double HeldBack = 0.7;

    /// <summary>Computing that says something, in seconds: of several requests, since the first is often disturbed by what it begins.</summary>
    private const double Enough = 0.05;

    /// <summary>Of the time of all threads; where heads compute for more of it, no thread rests enough to seem faster than it can go on for.</summary>
    private const double Busy = 0.5;

    /// <summary>What is left of one time that a thread woke up while it still says something.</summary>
    private const double RecentWaking = 0.2;

    /// <summary>Times that threads woke up lately with which there is no need to wake one for nothing.</summary>
    private const double EnoughWakings = 1;

    private readonly Lock _lock = new();
    private readonly DecayingSums _computed;
    private readonly DecayingSums _woken;
    private readonly ComputePool _compute;
    private readonly TimeProvider _time;

    // What the sums have of something that is there all the time, in seconds of one thread after the other.
    private readonly double _always;
    private Task<Calibration>? _calibration;
    private Task _waking = Task.CompletedTask;
    private Seen? _last;
    private Seen? _sustained;
    private TimeSpan _lastStart;

    public SiloSpeed(ComputePool compute, TimeProvider time)
    {
        _compute = compute;
        _time = time;
        _computed = new DecayingSums(time, HalfLife);
        _woken = new DecayingSums(time, HalfLifeOfWakings);
        _always = compute.ThreadCount * HalfLife.TotalSeconds / Math.Log(2);
    }

    /// <summary>The measuring that <see cref="Measured"/> began last, if it has not ended.</summary>
    public Task Measuring { get; private set; } = Task.CompletedTask;

    /// <summary>A head has computed. What is so small that calls outweigh it says nothing about speed.</summary>
    /// <param name="operations">Floating-point operations.</param>
    /// <param name="elapsed">
    /// Time that it held a thread for, with what the thread took to go on from one head to the next: where others share the processor, a
    /// thread loses it between heads as well as within them.
    /// </param>
    /// <param name="waking">What a thread took to wake up for it; null if none had to.</param>
    public void Add(double operations, TimeSpan elapsed, TimeSpan? waking)
    {
        if (operations >= ComputePool.InlineOperations)
        {
            _computed.Add(operations, elapsed.TotalSeconds);
        }

        AddWaking(waking);
    }

    /// <summary>What a thread that had nothing to do took lately until it began with something; what was seen last where none had to.</summary>
    public TimeSpan Start()
    {
        var (times, seconds) = _woken.Read();
        lock (_lock)
        {
            return _lastStart = times >= RecentWaking ? TimeSpan.FromSeconds(seconds / times) : _lastStart;
        }
    }

    /// <summary>Wakes a thread up for next to nothing, so that it is known what that takes where no heads do it.</summary>
    /// <returns>
    /// When it is known. Nothing is done where heads woke some lately, or did so before they left a processor that others share, which says
    /// more: a thread that rests does not wait as those that compute do. Nor while threads compute, or while one is still to wake up.
    /// </returns>
    public Task ProbeStartAsync()
    {
        lock (_lock)
        {
            return _compute.Running > 0 || !_waking.IsCompleted || IsHeldBack(_sustained) || _woken.Read().First >= EnoughWakings
                ? _waking
                : _waking = _compute.RunAsync(ComputePool.InlineOperations, _ => AddWaking(ComputePool.WakeDelay));
        }
    }

    /// <summary>
    /// What the heads did lately, operations a second and thread; where they did nothing for a while, or have left a processor that others
    /// share, what the kernels are measured to do then. Null if neither is known.
    /// </summary>
    public double? Measured()
    {
        lock (_lock)
        {
            if (OfHeads() is { } speed)
            {
                _last = new Seen(speed, _time.GetTimestamp());
                _sustained = HeadSeconds >= Busy * _always ? _last : _sustained;
            }

            // Heads that did little, or little for a while, or that beside others, do not say what more of them would do.
            var isUnknown = _last is null ? HeadSeconds > 0 : IsOutdated(_last);
            if (Measuring.IsCompleted && IsOutdated(_sustained) && (isUnknown || IsShared()))
            {
                Measuring = MeasureAsync();
            }

            return _last?.Speed;
        }
    }

    /// <summary>
    /// What a thread does that computes without pause, operations a second; null if that is not known. Where others share the processor, heads
    /// that compute little seem faster than that, since they have rested before. It is no less than what they did in all of the time.
    /// </summary>
    public double? Sustained()
    {
        lock (_lock)
        {
            return _sustained is { } known ? Math.Max(known.Speed, _computed.Read().First / _always) : null;
        }
    }

    /// <summary>What the heads did lately, or else what was measured last, operations a second and thread; null if neither is known.</summary>
    public double? Known()
    {
        lock (_lock)
        {
            return OfHeads() ?? _last?.Speed;
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

    // What heads computed lately.
    private double HeadSeconds => _computed.Read().Second;

    // Null where they did too little lately to say.
    private double? OfHeads() => _computed.Read() is var (operations, seconds) && seconds >= Enough ? operations / seconds : null;

    private bool IsOutdated(Seen? seen) => seen is not { } known || _time.GetElapsedTime(known.At) > Outdated;

    // Whether others share the processors, as far as is known.
    private bool IsShared() => IsHeldBack(_sustained) || IsHeldBack(_last) || Start() > Undisturbed;

    private bool IsHeldBack(Seen? seen) =>
        seen is { } known && _calibration is { IsCompletedSuccessfully: true, Result: var undisturbed } && known.Speed < HeldBack * undisturbed.OperationsPerSecond;

    private void AddWaking(TimeSpan? waking)
    {
        if (waking is { } took)
        {
            _woken.Add(1, took.TotalSeconds);
        }
    }

    private async Task MeasureAsync()
    {
        var speed = await Calibration.SustainAsync(_compute, _time, WithoutPause);
        lock (_lock)
        {
            _sustained = new Seen(speed, _time.GetTimestamp());
            if (OfHeads() is null)
            {
                _last = _sustained;
            }
        }
    }

    // Operations a second and thread, and the timestamp when that was seen.
    private readonly record struct Seen(double Speed, long At);
}
