using System.Collections.Concurrent;
using CsCheck;

namespace HeadCluster.Kernels.Tests.Compute;

public sealed class ComputePoolTests
{
    private const long Large = ComputePool.InlineOperations;
    private static readonly Gen<(int Rows, long OperationsPerRow, int Threads)> Splits =
        Gen.Select(Gen.Int[0, 300], Gen.OneOf(0L, 1000L, Large / 3, Large), Gen.Int[1, 4]);

    [Fact]
    public async Task Start_delay_is_what_a_thread_takes_to_go_on_and_wake_delay_what_an_idle_one_takes_to_begin()
    {
        var time = TimeProvider.System;
        using var pool = new ComputePool(1);
        using var begun = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();

        // The thread is there after it, and has nothing to do.
        await pool.RunAsync(ComputePool.InlineOperations, _ => { }, cancellationToken: TestContext.Current.CancellationToken);
        var (first, second, atMost) = (TimeSpan.MaxValue, TimeSpan.Zero, TimeSpan.Zero);
        var (firstWake, secondWake) = ((TimeSpan?)null, (TimeSpan?)TimeSpan.Zero);
        var came = time.GetTimestamp();
        var busy = pool.RunAsync(ComputePool.InlineOperations, token =>
        {
            (first, firstWake) = (ComputePool.StartDelay, ComputePool.WakeDelay);
            begun.Set();
            end.Wait(token);
        }, cancellationToken: TestContext.Current.CancellationToken);
        begun.Wait(TestContext.Current.CancellationToken);
        Assert.Equal(TimeSpan.Zero, first);
        Assert.InRange(firstWake!.Value, TimeSpan.FromTicks(1), time.GetElapsedTime(came));

        // It comes while the thread is busy, which is so for longer than the thread then takes.
        var freed = 0L;
        var waiting = pool.RunAsync(
            ComputePool.InlineOperations,
            _ => (second, secondWake, atMost) = (ComputePool.StartDelay, ComputePool.WakeDelay, time.GetElapsedTime(freed)),
            cancellationToken: TestContext.Current.CancellationToken);
        freed = time.GetTimestamp();
        end.Set();
        await Task.WhenAll(busy, waiting);
        Assert.InRange(second, TimeSpan.FromTicks(1), atMost);
        Assert.Null(secondWake);
        Assert.Equal((TimeSpan.Zero, null), (ComputePool.StartDelay, ComputePool.WakeDelay));
    }

    [Fact]
    public async Task Small_work_runs_inline_and_large_work_on_a_thread_of_the_pool()
    {
        using var pool = new ComputePool(2);
        var (small, large) = (0, 0);
        var inline = pool.RunAsync(Large - 1, _ => small = Environment.CurrentManagedThreadId);
        Assert.True(inline.IsCompletedSuccessfully);
        Assert.Equal(Environment.CurrentManagedThreadId, small);

        var caller = Environment.CurrentManagedThreadId;
        string? name = null;
        await pool.RunAsync(Large, _ => (large, name) = (Environment.CurrentManagedThreadId, Thread.CurrentThread.Name));
        Assert.NotEqual(caller, large);
        Assert.StartsWith("HeadCluster compute", name);
    }

    [Fact]
    public async Task Rows_split_into_even_ranges_cover_each_row_once() => await Splits.SampleAsync(
        async (rows, operationsPerRow, threads) =>
        {
            using var pool = new ComputePool(threads);
            var (visits, ranges, tiles) = (new int[rows], 0, new ConcurrentBag<int>());
            await pool.RunRowsAsync(
                rows,
                operationsPerRow,
                (first, count, _) =>
                {
                    Assert.True(count > 0);
                    Interlocked.Increment(ref ranges);
                    tiles.Add((count + PanelKernel.MaxRows - 1) / PanelKernel.MaxRows);
                    for (var row = first; row < first + count; row++)
                    {
                        Interlocked.Increment(ref visits[row]);
                    }
                });
            Assert.All(visits, count => Assert.Equal(1, count));
            Assert.InRange(ranges, Math.Min(rows, 1), 4 * threads);
            Assert.InRange(tiles.DefaultIfEmpty().Max() - tiles.DefaultIfEmpty().Min(), 0, 1);
            Assert.Equal(0, pool.Running);
        },
        iter: 100);

    [Theory]
    [InlineData(0)]
    [InlineData(Large)]
    public async Task Work_cancelled_before_its_start_never_runs(long operations)
    {
        using var pool = new ComputePool(1);
        var ran = false;
        var task = pool.RunAsync(operations, _ => ran = true, cancellationToken: new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.False(ran);
    }

    [Fact(Timeout = 60_000)]
    public async Task Work_cancelled_while_it_waits_for_a_thread_ends_at_once_and_never_runs()
    {
        using var pool = new ComputePool(1);
        using var release = new ManualResetEventSlim();
        using var cancellation = new CancellationTokenSource();
        var ran = false;
        var busy = pool.RunAsync(Large, _ => release.Wait(TestContext.Current.CancellationToken));
        var waiting = pool.RunAsync(Large, _ => ran = true, cancellationToken: cancellation.Token);
        var parts = pool.RunPartsAsync(4, Large, (_, _) => ran = true, leading: 2, cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();

        // The thread is not free yet.
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parts.WaitAsync(TestContext.Current.CancellationToken));
        Assert.True(waiting.IsCanceled && parts.IsCanceled);
        Assert.False(busy.IsCompleted);

        // It finds nothing of them, and goes on with what came later.
        var later = pool.RunAsync(Large, _ => { });
        release.Set();
        await Task.WhenAll(busy, later);
        Assert.False(ran);
        Assert.Equal(0, pool.Running);
    }

    [Fact(Timeout = 60_000)]
    public async Task Work_that_is_cancelled_at_any_time_ends_once_and_only_when_no_part_of_it_runs() =>
        await Gen.Select(Gen.Int[1, 3], Gen.Int[1, 6], Gen.Int[0, 3], Gen.Int[1, 3], Gen.Int[0, 40]).SampleAsync(
            async (threads, parts, leading, together, spins) =>
            {
                using var pool = new ComputePool(threads);
                using var cancellation = new CancellationTokenSource();
                var turn = pool.TakeTurn();
                var running = new int[12];
                var tasks = Array.ConvertAll([.. Enumerable.Range(0, running.Length)], (int own) => pool.RunPartsAsync(
                    parts,
                    parts * Large,
                    (_, token) =>
                    {
                        Interlocked.Increment(ref running[own]);
                        Thread.SpinWait(10);
                        Interlocked.Decrement(ref running[own]);
                        token.ThrowIfCancellationRequested();
                    },
                    new ComputeOrder(turn, own, together),
                    Math.Min(leading, parts),
                    own % 3 == 2 ? CancellationToken.None : cancellation.Token));
                var seen = tasks.Select(async (task, own) =>
                {
                    await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    Assert.Equal(0, Volatile.Read(ref running[own]));
                    Assert.True(task.IsCompletedSuccessfully || (task.IsCanceled && own % 3 != 2));
                }).ToArray();
                Thread.SpinWait(spins * 20);
                await cancellation.CancelAsync();
                await Task.WhenAll(seen).WaitAsync(TestContext.Current.CancellationToken);
            },
            iter: 1000);

    [Fact]
    public async Task Work_that_ended_is_not_held_by_its_token()
    {
        using var pool = new ComputePool(1);
        using var cancellation = new CancellationTokenSource();
        var ended = new List<WeakReference>();
        for (var i = 0; i < 100; i++)
        {
            ended.Add(await EndAsync());
        }

        // The last ones may still be on somebody's stack.
        GC.Collect();
        Assert.InRange(ended.Count(memory => memory.IsAlive), 0, 10);
        Assert.False(cancellation.IsCancellationRequested);

        async Task<WeakReference> EndAsync()
        {
            var memory = new float[1000];
            await pool.RunAsync(Large, _ => memory[0]++, cancellationToken: cancellation.Token);
            return new WeakReference(memory);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Work_for_the_threads_of_a_disposed_pool_fails_and_what_was_queued_before_is_done()
    {
        var pool = new ComputePool(1);
        using var release = new ManualResetEventSlim();
        var (queued, ran) = (false, false);
        var busy = pool.RunAsync(Large, _ => release.Wait(TestContext.Current.CancellationToken));
        var before = pool.RunAsync(Large, _ => queued = true);
        pool.Dispose();
        var after = pool.RunAsync(Large, _ => ran = true, cancellationToken: TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => after.WaitAsync(TestContext.Current.CancellationToken));
        release.Set();
        await Task.WhenAll(busy, before);
        Assert.Equal((true, false), (queued, ran));
    }

    [Fact]
    public async Task Work_that_waits_is_done_by_turns_and_within_a_turn_by_its_place()
    {
        using var pool = new ComputePool(1);
        using var release = new ManualResetEventSlim();
        var busy = pool.RunAsync(Large, _ => release.Wait(TestContext.Current.CancellationToken));
        var (first, second) = (pool.TakeTurn(), pool.TakeTurn());
        var done = new List<string>();
        var waiting = new List<Task> { Add("no order, last", null), Add("second 0", new(second, 0)), Add("first 2", new(first, 2)) };
        waiting.AddRange([Add("first 0", new(first, 0)), Add("first 1", new(first, 1)), Add("first 1 again", new(first, 1))]);
        release.Set();
        await Task.WhenAll([busy, .. waiting]);
        Assert.Equal(["first 0", "first 1", "first 1 again", "first 2", "second 0", "no order, last"], done);

        Task Add(string name, ComputeOrder? order) => pool.RunAsync(Large, _ => done.Add(name), order);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Large)]
    public async Task Exception_of_the_work_reaches_who_awaits_it_and_the_pool_goes_on(long operations)
    {
        using var pool = new ComputePool(1);
        var error = await Assert.ThrowsAsync<InvalidTimeZoneException>(
            () => pool.RunAsync(operations, _ => throw new InvalidTimeZoneException("of the work")));
        Assert.Equal("of the work", error.Message);
        Assert.Equal(0, pool.Running);

        var ran = false;
        await pool.RunAsync(operations, _ => ran = true);
        Assert.True(ran);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Large)]
    public async Task Work_that_cancels_itself_ends_cancelled(long operations)
    {
        using var pool = new ComputePool(1);
        using var cancellation = new CancellationTokenSource();
        var task = pool.RunAsync(
            operations,
            token =>
            {
                cancellation.Cancel();
                token.ThrowIfCancellationRequested();
            },
            cancellationToken: cancellation.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.Equal(0, pool.Running);
    }

    [Fact]
    public async Task Running_counts_work_while_it_is_computed()
    {
        using var pool = new ComputePool(2);
        var (inline, pooled) = (0, 0);
        await pool.RunAsync(0, _ => inline = pool.Running);
        await pool.RunAsync(Large, _ => pooled = pool.Running);
        Assert.Equal((1, 1, 0), (inline, pooled, pool.Running));
    }
}
