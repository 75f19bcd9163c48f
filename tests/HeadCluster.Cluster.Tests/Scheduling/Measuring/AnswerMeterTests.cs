using HeadCluster.Kernels;
using HeadCluster.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>How many times as long as speed and start explain a silo takes to answer.</summary>
public sealed class AnswerMeterTests : IDisposable
{
    private const double HeadOperations = 1e9;

    private static readonly TimeSpan HeadTime = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Start = TimeSpan.FromMilliseconds(4);

    private readonly FakeTimeProvider _clock = new();
    private readonly ComputePool _pool = new(2);
    private readonly SiloSpeed _speed;
    private readonly AnswerMeter _meter;

    public AnswerMeterTests()
    {
        _speed = new SiloSpeed(_pool, _clock);
        _meter = new AnswerMeter(_speed, _pool, _clock);
    }

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Nothing_is_known_before_it_is_known_what_heads_take()
    {
        Answer(heads: 2, TimeSpan.FromMilliseconds(50));
        Assert.Null(_meter.Slowdown());
    }

    [Fact]
    public void Answers_are_compared_with_what_their_heads_take_on_all_threads_once_these_have_started()
    {
        Compute();
        Answer(heads: 6, Start + (3 * HeadTime) + TimeSpan.FromMilliseconds(6));
        Assert.Equal(36.0 / 30, _meter.Slowdown()!.Value, 1e-6);

        // One head has one thread. What takes longer weighs more.
        Answer(heads: 1, Start + HeadTime + TimeSpan.FromMilliseconds(4));
        Assert.Equal(50.0 / 40, _meter.Slowdown()!.Value, 1e-6);
    }

    [Fact]
    public void Answers_that_came_sooner_than_expected_are_not_slow()
    {
        Compute();
        Answer(heads: 2, Start);
        Assert.Equal(1, _meter.Slowdown());
    }

    [Fact]
    public void An_answer_that_was_held_up_for_long_counts_as_one_that_was_held_up_for_a_while()
    {
        Compute();
        Answer(heads: 2, TimeSpan.FromMinutes(1));
        Assert.Equal(110.0 / 10, _meter.Slowdown()!.Value, 1e-6);
    }

    [Fact]
    public void Heads_that_start_no_thread_tell_nothing()
    {
        Compute();
        _meter.Add(heads: 100, ComputePool.InlineOperations - 1, TimeSpan.FromMilliseconds(50));
        Assert.Null(_meter.Slowdown());
    }

    [Fact]
    public void Later_answers_outweigh_those_before_and_after_half_a_minute_they_are_forgotten()
    {
        Compute();
        Answer(heads: 2, Start + HeadTime + TimeSpan.FromMilliseconds(40));
        _clock.Advance(TimeSpan.FromSeconds(20));
        Answer(heads: 2, Start + HeadTime + TimeSpan.FromMilliseconds(1));
        Assert.InRange(_meter.Slowdown()!.Value, 1.1, 1.11);
        _clock.Advance(TimeSpan.FromSeconds(25));
        Assert.InRange(_meter.Slowdown()!.Value, 1.1, 1.11);
        _clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Null(_meter.Slowdown());
    }

    // So that speed and start are known.
    private void Compute()
    {
        for (var head = 0; head < 10; head++)
        {
            _speed.Add(HeadOperations, HeadTime, Start);
        }

        Assert.NotNull(_speed.Measured());
    }

    private void Answer(int heads, TimeSpan elapsed) => _meter.Add(heads, HeadOperations, elapsed);
}
