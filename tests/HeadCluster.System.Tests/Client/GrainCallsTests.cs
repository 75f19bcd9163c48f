using System.Diagnostics;
using HeadCluster.Client;
using HeadCluster.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.System.Tests.Client;

public sealed class GrainCallsTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_request_whose_answer_comes_after_it_is_served_no_more_is_not_sent_again()
    {
        using var loss = new ConnectionLoss(NullLogger<ConnectionLoss>.Instance);
        var calls = new GrainCalls(loss, HeadClusterClientOptions.DefaultRetryTimeout, timeLimit: null, new FakeTimeProvider());
        var answer = new TaskCompletionSource<int>();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = 0;

        var request = calls.CallAsync(
            _ =>
            {
                sent++;
                return answer.Task;
            },
            _ =>
            {
                asked.TrySetResult();
                return Task.FromResult(false);
            },
            TestContext.Current.CancellationToken);
        loss.NotifyGatewayCountChanged(currentNumberOfGateways: 1, previousNumberOfGateways: 2, connectionRecovered: false);
        await asked.Task.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        answer.SetResult(7);

        Assert.Equal(7, await request.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(1, sent);
    }

    [Fact]
    public async Task A_request_that_is_lost_after_longer_than_it_is_sent_again_for_is_sent_again()
    {
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: null, clock);
        var sent = 0;

        var request = calls.CallAsync(
            _ =>
            {
                clock.Advance(2 * Minute);
                return ++sent == 1 ? Task.FromException<int>(new SiloUnavailableException()) : Task.FromResult(7);
            },
            isServed: null,
            TestContext.Current.CancellationToken);
        Assert.False(request.IsCompleted);
        clock.Advance(Minute);

        Assert.Equal(7, await request.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(2, sent);
    }

    [Fact]
    public async Task A_request_that_is_lost_again_and_again_is_sent_again_for_as_long_as_the_caller_has_patience()
    {
        var clock = new FakeTimeProvider();
        var start = clock.GetUtcNow();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: null, clock);
        var last = TimeSpan.Zero;

        var request = calls.CallAsync(
            _ =>
            {
                last = clock.GetUtcNow() - start;
                return Task.FromException<int>(new SiloUnavailableException());
            },
            isServed: null,
            TestContext.Current.CancellationToken);
        for (var passed = TimeSpan.Zero; passed < Minute; passed += TimeSpan.FromSeconds(1))
        {
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        var error = await Assert.ThrowsAsync<HeadClusterException>(() => request.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(HeadClusterErrorKind.Unavailable, error.Kind);

        // It would have paused for two seconds at most before it was sent once more.
        Assert.InRange(last, Minute - TimeSpan.FromSeconds(2), Minute);
    }

    [Fact]
    public async Task A_request_that_sets_no_limit_has_that_of_all_and_ends_a_moment_after_it_where_a_silo_hangs()
    {
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: Minute, clock);
        var limits = new List<TimeSpan?>();

        var request = AskAsync(limit: null);
        var impatient = AskAsync(limit: Minute / 2);
        clock.Advance(Minute / 2);
        Assert.False(impatient.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        var error = await Assert.ThrowsAsync<HeadClusterException>(() => impatient.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(HeadClusterErrorKind.Timeout, error.Kind);
        Assert.Contains("the time limit of 30.000 s passed after 32.000 s", error.Message, StringComparison.Ordinal);

        // A silo whose time has passed may be saying what was pending.
        clock.Advance((Minute / 2) - TimeSpan.FromSeconds(2));
        Assert.False(request.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        error = await Assert.ThrowsAsync<HeadClusterException>(() => request.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(HeadClusterErrorKind.Timeout, error.Kind);
        Assert.Contains("the time limit of 60.000 s passed after 62.000 s", error.Message, StringComparison.Ordinal);
        Assert.Equal([Minute, Minute / 2], limits);

        Task<int> AskAsync(TimeSpan? limit) => calls.CallAsync(
            calls.StartTime(limit),
            async (left, end) =>
            {
                limits.Add(left);
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, end);
                return 7;
            },
            _ => Task.FromResult(true),
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Parts_of_a_request_share_its_time()
    {
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: Minute, clock);
        var budget = calls.StartTime(limit: null);

        Assert.Equal(Minute, await AskAsync());
        Assert.Equal(Minute / 2, await AskAsync());
        Assert.Equal(HeadClusterErrorKind.Timeout, (await Assert.ThrowsAsync<HeadClusterException>(AskAsync)).Kind);

        Task<TimeSpan?> AskAsync() => calls.CallAsync(
            budget,
            (left, _) =>
            {
                clock.Advance(Minute / 2);
                return Task.FromResult(left);
            },
            _ => Task.FromResult(true),
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Items_that_are_asked_for_again_are_of_the_trace_of_those_that_came()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == HeadClusterTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        using var program = new Activity("a program").Start();
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: null, clock);
        var parents = new List<object?>();

        await using var stream = calls.StreamAsync<int>(
            (_, known, _) =>
            {
                parents.Add(RequestContext.Get("traceparent"));
                return OneThenLostAsync(known.Count);
            },
            isServed: null,
            TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await stream.MoveNextAsync());
        var second = stream.MoveNextAsync().AsTask();
        clock.Advance(Minute / 2);
        Assert.True(await second.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));

        Assert.Equal(2, parents.Count);
        Assert.All(parents, parent => Assert.Contains(program.TraceId.ToHexString(), Assert.IsType<string>(parent), StringComparison.Ordinal));

        static async IAsyncEnumerable<int> OneThenLostAsync(int next)
        {
            await Task.CompletedTask;
            yield return next;
            throw new EnumerationAbortedException();
        }
    }

    [Fact]
    public async Task Items_that_are_lost_are_asked_for_again_after_those_that_came_and_each_that_comes_begins_a_new_patience()
    {
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: null, clock);
        var items = new List<int>();

        await using var stream = calls.StreamAsync<int>((_, known, _) => OneMoreAsync(known.Count), isServed: null, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        while (await NextAsync())
        {
            items.Add(stream.Current);
        }

        Assert.Equal([0, 1, 2], items);

        async Task<bool> NextAsync()
        {
            var next = stream.MoveNextAsync().AsTask();
            while (!next.IsCompleted)
            {
                // The pause before it asks again.
                clock.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Yield();
            }

            return await next;
        }

        async IAsyncEnumerable<int> OneMoreAsync(int next)
        {
            await Task.CompletedTask;
            yield return next;
            if (next < 2)
            {
                clock.Advance(2 * Minute);
                throw new EnumerationAbortedException();
            }
        }
    }

    [Fact]
    public async Task An_item_that_nobody_computes_any_more_is_asked_for_again_and_its_call_is_given_up()
    {
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: null, clock);
        var ends = new List<CancellationToken>();
        await using var stream = calls.StreamAsync<int>(
            (_, known, end) =>
            {
                ends.Add(end);
                return ends.Count == 1 ? OneThenNoneAsync() : AsyncEnumerable.Range(known.Count, 2);
            },
            isServed: (_, _) => Task.FromResult(false),
            TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await stream.MoveNextAsync());

        var next = stream.MoveNextAsync().AsTask();
        while (!next.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        Assert.True(await next);
        Assert.Equal(1, stream.Current);
        Assert.Equal([true, false], ends.Select(end => end.IsCancellationRequested));

        // As a call to a silo that has died, also where it is cancelled.
        static async IAsyncEnumerable<int> OneThenNoneAsync()
        {
            await Task.CompletedTask;
            yield return 0;
            await new TaskCompletionSource().Task;
        }
    }

    [Fact]
    public async Task An_item_that_is_being_computed_is_waited_for()
    {
        var clock = new FakeTimeProvider();
        var calls = new GrainCalls(loss: null, Minute, timeLimit: null, clock);
        var computed = new TaskCompletionSource();
        var asked = 0;
        var questions = 0;
        await using var stream = calls.StreamAsync<int>(
            (_, _, _) => OneAsync(),
            isServed: (_, _) =>
            {
                questions++;
                return Task.FromResult(true);
            },
            TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        var next = stream.MoveNextAsync().AsTask();
        while (questions < 10)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            await Task.Yield();
        }

        computed.SetResult();
        Assert.True(await next);
        Assert.Equal(1, asked);

        async IAsyncEnumerable<int> OneAsync()
        {
            asked++;
            await computed.Task;
            yield return 0;
        }
    }
}
