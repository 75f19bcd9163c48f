using System.Net;
using HeadCluster.Grains;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Attention;

/// <summary>When a request has to be done, by the clock of its silo.</summary>
public sealed class DeadlineTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly CancellationTokenSource _caller = new();

    [Fact]
    public void Work_goes_on_until_the_limit_and_ends_with_it()
    {
        using var deadline = new Deadline(Limit, _clock, _caller.Token);

        _clock.Advance(Limit - Tick);
        Assert.False(deadline.HasPassed);
        Assert.False(deadline.Token.IsCancellationRequested);

        _clock.Advance(Tick);
        Assert.True(deadline.HasPassed);
        Assert.True(deadline.Token.IsCancellationRequested);
    }

    [Fact]
    public void Answers_have_another_second_to_say_what_was_pending()
    {
        using var deadline = new Deadline(Limit, _clock, _caller.Token);

        _clock.Advance(Limit + TimeSpan.FromSeconds(1) - Tick);
        Assert.False(deadline.AnswersToken.IsCancellationRequested);

        _clock.Advance(Tick);
        Assert.True(deadline.AnswersToken.IsCancellationRequested);
    }

    [Fact]
    public void A_caller_that_gives_up_ends_both_and_the_limit_has_not_passed()
    {
        using var deadline = new Deadline(Limit, _clock, _caller.Token);

        _caller.Cancel();

        Assert.True(deadline.Token.IsCancellationRequested);
        Assert.True(deadline.AnswersToken.IsCancellationRequested);
        Assert.False(deadline.HasPassed);
    }

    [Fact]
    public void What_is_left_is_sent_on_and_is_never_nothing()
    {
        using var deadline = new Deadline(Limit, _clock, _caller.Token);
        Assert.Equal(Limit, deadline.Remaining);

        _clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(TimeSpan.FromMilliseconds(300), deadline.Remaining);

        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(Tick, deadline.Remaining);
    }

    [Fact]
    public void Without_a_limit_only_the_caller_ends_the_work()
    {
        using var deadline = new Deadline(null, _clock, _caller.Token);
        _clock.Advance(TimeSpan.FromDays(365));

        Assert.Null(deadline.Remaining);
        Assert.False(deadline.HasPassed);
        Assert.Equal(_caller.Token, deadline.Token);
        Assert.Equal(_caller.Token, deadline.AnswersToken);
    }

    [Fact]
    public void The_error_says_the_limit_where_and_after_how_long_it_passed_and_what_was_pending()
    {
        using var deadline = new Deadline(Limit, _clock, _caller.Token);
        _clock.Advance(TimeSpan.FromMilliseconds(1512));

        var error = deadline.Missed("layer nano/0", SiloAddress.New(IPAddress.Loopback, 11111, 7), "head 2");

        Assert.Equal(HeadClusterErrorKind.Timeout, error.Kind);
        Assert.Equal("layer nano/0: the time limit of 0.500 s passed on silo S127.0.0.1:11111:7 after 1.512 s, with head 2 pending", error.Message);
    }
}
