using System.Net;
using HeadCluster.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Scheduling;

/// <summary>What requests tell of a link, beside what messages told.</summary>
public sealed class UsedLinkTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly UsedLink _link;

    // 1 ms, and 1 ms for each megabyte.
    public UsedLinkTests() => _link = new UsedLink(
        new MeasuredLink(SiloAddress.New(IPAddress.Loopback, 1, 1), TimeSpan.FromMilliseconds(1), 1e9, Slowdown: null), _clock);

    [Fact]
    public void Requests_tell_how_many_times_as_long_they_take_whatever_their_sizes()
    {
        Assert.Null(_link.Measured.Slowdown);
        Serve(0, 3);
        Serve(1_000_000, 6);
        Serve(9_000_000, 30);
        Assert.Equal(3, _link.Measured.Slowdown!.Value, 1e-9);
    }

    [Fact]
    public void Later_requests_outweigh_those_before()
    {
        for (var i = 0; i < 10; i++)
        {
            Serve(0, 8);
        }

        _clock.Advance(TimeSpan.FromSeconds(20));
        Serve(0, 1);
        Assert.InRange(_link.Measured.Slowdown!.Value, 1, 1.1);
    }

    [Fact]
    public void A_request_that_was_held_up_for_long_counts_as_one_that_was_held_up_for_a_while()
    {
        Serve(0, 5000);
        Assert.Equal(20, _link.Measured.Slowdown!.Value, 1e-9);
    }

    [Fact]
    public void Silence_begins_with_the_last_request()
    {
        _clock.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(TimeSpan.FromSeconds(7), _link.Silence);
        Serve(0, 1);
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(3), _link.Silence);
    }

    private void Serve(long bytes, double milliseconds) => _link.Add(bytes, TimeSpan.FromMilliseconds(milliseconds));
}
