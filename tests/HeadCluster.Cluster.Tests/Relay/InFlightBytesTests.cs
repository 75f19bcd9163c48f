using System.Net;
using HeadCluster.Grains;
using HeadCluster.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Tests.Relay;

public sealed class InFlightBytesTests
{
    private const long Most = 1 << 20;

    private static readonly SiloAddress First = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Second = SiloAddress.New(IPAddress.Loopback, 2, 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_does_not_fit_waits_in_order_and_silos_do_not_wait_for_each_other()
    {
        var bytes = Create(mostWaiting: 10 * Most);
        var large = await bytes.EnterAsync(First, Most - 10, Stop);
        var waiting = bytes.EnterAsync(First, 100, Stop).AsTask();
        var small = bytes.EnterAsync(First, 1, Stop).AsTask();
        using var elsewhere = await bytes.EnterAsync(Second, Most, Stop);
        Assert.False(waiting.IsCompleted);

        // It would fit, but it came later.
        Assert.False(small.IsCompleted);

        large.Dispose();
        large.Dispose();

        (await waiting).Dispose();
        (await small).Dispose();
        using var all = await bytes.EnterAsync(First, Most, Stop);
    }

    [Fact]
    public async Task What_is_larger_than_all_goes_alone()
    {
        var bytes = Create(mostWaiting: 0);
        var one = await bytes.EnterAsync(First, 1, Stop);
        var huge = bytes.EnterAsync(First, 100 * Most, Stop).AsTask();
        Assert.False(huge.IsCompleted);

        one.Dispose();

        using var passage = await huge;
    }

    [Fact]
    public async Task Too_much_that_waits_is_refused_at_once_with_a_time_to_come_back()
    {
        var bytes = Create(mostWaiting: 1000);
        using var under = await bytes.EnterAsync(First, Most, Stop);
        var waiting = bytes.EnterAsync(First, 900, Stop).AsTask();

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => bytes.EnterAsync(First, 101, Stop).AsTask());

        Assert.Equal(HeadClusterErrorKind.Busy, error.Kind);
        Assert.True(error.IsTransient);
        Assert.True(error.RetryAfter > TimeSpan.Zero);
        Assert.Contains("retry after", error.Message, StringComparison.Ordinal);
        var another = bytes.EnterAsync(First, 100, Stop).AsTask();
        under.Dispose();
        (await waiting).Dispose();
        (await another).Dispose();
    }

    [Fact]
    public async Task Who_was_alone_knows_it_and_who_was_not_never_becomes_so()
    {
        var bytes = Create(mostWaiting: 10 * Most);
        var one = await bytes.EnterAsync(First, 10, Stop);
        using var elsewhere = await bytes.EnterAsync(Second, 10, Stop);
        Assert.True(one.IsAlone);

        var another = await bytes.EnterAsync(First, 10, Stop);
        Assert.False(one.IsAlone);
        Assert.False(another.IsAlone);

        one.Dispose();
        Assert.False(another.IsAlone);
        another.Dispose();
        using var next = await bytes.EnterAsync(First, 10, Stop);
        Assert.True(next.IsAlone);
        Assert.True(elsewhere.IsAlone);
    }

    [Fact]
    public async Task Who_gives_up_waiting_makes_room_for_those_behind()
    {
        var bytes = Create(mostWaiting: 10 * Most);
        using var under = await bytes.EnterAsync(First, Most - 10, Stop);
        using var impatience = new CancellationTokenSource();
        var large = bytes.EnterAsync(First, 100, impatience.Token).AsTask();
        var small = bytes.EnterAsync(First, 10, Stop).AsTask();
        Assert.False(small.IsCompleted);

        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small).Dispose();
    }

    private static InFlightBytes Create(long mostWaiting) => new(
        Options.Create(new HeadClusterOptions { MaxInFlightBytesPerSilo = Most, MaxWaitingBytesPerSilo = mostWaiting }), TimeProvider.System);
}
