using HeadCluster.Kernels;
using HeadCluster.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>What a silo tells of its speed, by what its heads did lately.</summary>
public sealed class SiloSpeedTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ComputePool _pool = new(1);
    private readonly SiloSpeed _speed;

    public SiloSpeedTests() => _speed = new SiloSpeed(_pool, _clock);

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Speed_is_that_of_heads_once_they_computed_for_long_enough()
    {
        _speed.Add(4e9, TimeSpan.FromMilliseconds(40), waking: null);
        Assert.Null(_speed.Measured());
        _speed.Add(2e9, TimeSpan.FromMilliseconds(20), waking: null);
        Assert.Equal(1e11, _speed.Measured()!.Value, 1e2);
    }

    [Fact]
    public void Start_is_what_threads_took_to_wake_up_and_heads_that_woke_none_do_not_count()
    {
        Assert.Equal(TimeSpan.Zero, _speed.Start());
        _speed.Add(1e9, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));
        _speed.Add(1e9, TimeSpan.FromMilliseconds(10), waking: null);
        _speed.Add(1e9, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(30));
        Assert.Equal(20, _speed.Start().TotalMilliseconds, 1e-6);
    }

    [Fact]
    public void Start_that_was_seen_lately_outweighs_older_ones_and_stays_known_while_nothing_is_computed()
    {
        Wake(10, TimeSpan.FromMilliseconds(40));
        _clock.Advance(TimeSpan.FromSeconds(20));
        Wake(10, TimeSpan.FromMilliseconds(1));
        Assert.InRange(_speed.Start().TotalMilliseconds, 1, 1.1);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.InRange(_speed.Start().TotalMilliseconds, 1, 1.1);

        void Wake(int times, TimeSpan took)
        {
            for (var i = 0; i < times; i++)
            {
                _speed.Add(1e9, TimeSpan.FromMilliseconds(10), took);
            }
        }
    }

    [Fact]
    public async Task Start_of_a_silo_without_heads_is_found_by_waking_a_thread()
    {
        var began = TimeProvider.System.GetTimestamp();
        await _speed.ProbeStartAsync();

        // Now the thread is there, and has nothing to do.
        await _speed.ProbeStartAsync();
        Assert.InRange(_speed.Start(), TimeSpan.FromTicks(1), TimeProvider.System.GetElapsedTime(began));
    }

    [Fact]
    public async Task Start_that_heads_have_shown_lately_is_not_looked_for()
    {
        _speed.Add(1e9, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(100));
        for (var probe = 0; probe < 2; probe++)
        {
            await _speed.ProbeStartAsync();
        }

        Assert.Equal(100, _speed.Start().TotalSeconds, 1e-6);
    }

    [Fact]
    public async Task A_silo_that_is_slow_to_begin_and_has_computed_little_is_measured()
    {
        var speed = new SiloSpeed(_pool, TimeProvider.System);
        Assert.Null(speed.Measured());
        await speed.Measuring;
        Assert.Null(speed.Measured());

        speed.Add(1e6, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));
        Assert.Null(speed.Measured());
        await speed.Measuring;
        Assert.InRange(speed.Measured()!.Value, 1e6, 1e15);
    }

    [Fact]
    public void Heads_that_compute_most_of_the_time_show_what_a_silo_sustains_and_others_do_not()
    {
        _speed.Add(7e10, TimeSpan.FromSeconds(0.7), waking: null);
        Assert.NotNull(_speed.Measured());
        Assert.Null(_speed.Sustained());

        // Half of the time since ever, each second counting half of the next: 0.5 / ln 2.
        _speed.Add(3e9, TimeSpan.FromSeconds(0.03), waking: null);
        Assert.Equal(1e11, _speed.Measured()!.Value, 1e2);
        Assert.Equal(1e11, _speed.Sustained()!.Value, 1e2);

        _clock.Advance(TimeSpan.FromSeconds(20));
        _speed.Add(9e10, TimeSpan.FromSeconds(0.3), waking: null);
        Assert.Equal(3e11, _speed.Measured()!.Value, 1e8);
        Assert.Equal(1e11, _speed.Sustained()!.Value, 1e2);
    }

    [Fact]
    public async Task What_a_silo_sustains_is_measured_where_others_share_its_processor_and_heads_compute_little()
    {
        var speed = new SiloSpeed(_pool, TimeProvider.System);
        speed.Add(1e6, TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(10));
        speed.Add(1e9, TimeSpan.FromMilliseconds(300), waking: null);
        Assert.NotNull(speed.Measured());
        await speed.Measuring;
        Assert.InRange(speed.Sustained()!.Value, 1e6, 1e15);

        // Heads that still do something say more of themselves.
        Assert.Equal(1e9 / 0.3, speed.Measured()!.Value, 1e4);
    }

    [Fact]
    public async Task A_silo_whose_heads_have_computed_too_little_to_say_its_speed_is_measured()
    {
        var speed = new SiloSpeed(_pool, TimeProvider.System);
        speed.Add(1e9, TimeSpan.FromMilliseconds(10), waking: null);
        Assert.Null(speed.Measured());
        await speed.Measuring;
        Assert.InRange(speed.Measured()!.Value, 1e6, 1e15);
    }

    [Fact]
    public async Task Start_that_heads_saw_beside_others_is_not_forgotten_for_that_of_a_thread_that_rests()
    {
        // By a clock that stands still kernels take no time undisturbed.
        await _speed.CalibrateAsync();
        _speed.Add(3e6, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100));
        Assert.NotNull(_speed.Measured());
        Assert.Equal(100, _speed.Start().TotalSeconds, 1e-6);
        _clock.Advance(TimeSpan.FromSeconds(30));
        for (var probe = 0; probe < 2; probe++)
        {
            await _speed.ProbeStartAsync();
        }

        Assert.Equal(100, _speed.Start().TotalSeconds, 1e-6);
    }
}
