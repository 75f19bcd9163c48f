using System.Collections.Concurrent;
using CsCheck;

namespace HeadCluster.Kernels.Tests.Compute;

/// <summary>Work in parts: each once, wherever, until something goes wrong.</summary>
public sealed class PartsTests
{
    private const long Small = 0, Large = 100 * ComputePool.InlineOperations;

    [Fact]
    public async Task Parts_of_any_number_run_once_each_on_any_number_of_threads() =>
        await Gen.Select(Gen.Int[1, 40], Gen.Int[1, 8], Gen.OneOf(Small, ComputePool.InlineOperations, Large)).SampleAsync(
            async (parts, threads, operations) =>
            {
                using var pool = new ComputePool(threads);
                var (visits, most) = (new int[parts], 0);
                await pool.RunPartsAsync(
                    parts,
                    operations,
                    (part, _) =>
                    {
                        lock (visits)
                        {
                            visits[part]++;
                            most = Math.Max(most, pool.Running);
                        }
                    });
                Assert.All(visits, count => Assert.Equal(1, count));
                Assert.InRange(most, 1, threads);
                Assert.Equal(0, pool.Running);
            },
            iter: 100);

    [Fact]
    public async Task Leading_parts_end_before_any_other_begins() =>
        await Gen.Select(Gen.Int[0, 12], Gen.Int[0, 12], Gen.Int[1, 8], Gen.OneOf(Small, Large)).SampleAsync(
            async (leading, others, threads, operations) =>
            {
                using var pool = new ComputePool(threads);
                var (ended, early, ran) = (0, 0, 0);
                await pool.RunPartsAsync(
                    leading + others,
                    operations,
                    (part, _) =>
                    {
                        Interlocked.Increment(ref ran);
                        if (part < leading)
                        {
                            Interlocked.Increment(ref ended);
                        }
                        else if (Volatile.Read(ref ended) < leading)
                        {
                            Interlocked.Increment(ref early);
                        }
                    },
                    leading: leading);
                Assert.Equal((leading + others, 0), (ran, early));
            },
            iter: 300);

    [Fact(Timeout = 60_000)]
    public async Task Error_in_a_leading_part_ends_all_and_leaves_no_thread_waiting() =>
        await Gen.Select(Gen.Int[1, 12], Gen.Int[0, 12], Gen.Int[1, 8], Gen.Int[0, 11]).SampleAsync(
            async (leading, others, threads, failing) =>
            {
                using var pool = new ComputePool(threads);
                var began = 0;
                var task = pool.RunPartsAsync(
                    leading + others,
                    Large,
                    (part, _) =>
                    {
                        if (part == failing % leading)
                        {
                            throw new InvalidTimeZoneException();
                        }

                        if (part >= leading)
                        {
                            Interlocked.Increment(ref began);
                        }
                    },
                    leading: leading);
                await Assert.ThrowsAsync<InvalidTimeZoneException>(() => task.WaitAsync(TestContext.Current.CancellationToken));
                Assert.Equal(0, began);
                Assert.Equal(threads, await CountThreadsAsync(pool, threads));
            },
            iter: 300);

    [Fact]
    public async Task Parts_of_large_work_run_on_all_threads_at_once()
    {
        using var pool = new ComputePool(3);
        Assert.Equal(3, await CountThreadsAsync(pool, parts: 3));
    }

    [Fact]
    public void Parts_of_small_work_run_in_turn_on_the_calling_thread()
    {
        using var pool = new ComputePool(3);
        List<(int Part, int Thread)> ran = [];
        var task = pool.RunPartsAsync(5, ComputePool.InlineOperations - 1, (part, _) => ran.Add((part, Environment.CurrentManagedThreadId)));
        Assert.True(task.IsCompletedSuccessfully);
        Assert.Equal(Enumerable.Range(0, 5).Select(part => (part, Environment.CurrentManagedThreadId)), ran);
    }

    [Fact]
    public void No_parts_are_done_at_once_whatever_the_token_says()
    {
        using var pool = new ComputePool(1);
        Assert.True(pool.RunPartsAsync(0, Large, (_, _) => Assert.Fail("ran"), cancellationToken: new CancellationToken(canceled: true)).IsCompletedSuccessfully);
        Assert.True(pool.RunPartsAsync(0, Small, (_, _) => Assert.Fail("ran")).IsCompletedSuccessfully);
    }

    [Fact]
    public void Parts_of_a_negative_number_or_without_work_throw()
    {
        using var pool = new ComputePool(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = pool.RunPartsAsync(-1, Small, (_, _) => { }); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = pool.RunPartsAsync(1, Small, (_, _) => { }, leading: 2); });
        Assert.Throws<ArgumentNullException>(() => { _ = pool.RunPartsAsync(1, Small, null!); });
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task Parts_after_an_error_are_skipped(long operations)
    {
        using var pool = new ComputePool(1);
        List<int> ran = [];
        var task = pool.RunPartsAsync(
            10,
            operations,
            (part, _) =>
            {
                ran.Add(part);
                if (part == 3)
                {
                    throw new InvalidTimeZoneException("of part 3");
                }
            });
        Assert.Equal("of part 3", (await Assert.ThrowsAsync<InvalidTimeZoneException>(() => task)).Message);
        Assert.Equal([0, 1, 2, 3], ran);
        Assert.Equal(0, pool.Running);
    }

    [Fact]
    public async Task First_of_several_errors_wins_and_is_told_when_no_part_runs_any_more()
    {
        using var pool = new ComputePool(2);
        using var first = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var skipped = true;
        var task = pool.RunPartsAsync(
            8,
            Large,
            (part, _) =>
            {
                switch (part)
                {
                    case 0:
                        first.Wait(TestContext.Current.CancellationToken);
                        release.Wait(TestContext.Current.CancellationToken);
                        throw new InvalidTimeZoneException("the second");
                    case 1:
                        first.Set();
                        throw new InvalidTimeZoneException("the first");
                    default:
                        skipped = false;
                        break;
                }
            });

        // The thread that computes this has left the parts above, its error told and the rest skipped. Part 0 runs still, so
        // nobody may take back the memory that it writes to.
        await pool.RunAsync(Large, _ => { });
        Assert.False(task.IsCompleted);
        release.Set();
        Assert.Equal("the first", (await Assert.ThrowsAsync<InvalidTimeZoneException>(() => task)).Message);
        Assert.True(skipped);
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task Cancellation_between_parts_skips_the_rest(long operations)
    {
        using var pool = new ComputePool(1);
        using var cancellation = new CancellationTokenSource();
        List<int> ran = [];
        var task = pool.RunPartsAsync(
            10,
            operations,
            (part, _) =>
            {
                ran.Add(part);
                if (part == 2)
                {
                    cancellation.Cancel();
                }
            },
            cancellationToken: cancellation.Token);
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.Equal(cancellation.Token, error.CancellationToken);
        Assert.Equal([0, 1, 2], ran);
        Assert.Equal(0, pool.Running);
    }

    [Fact]
    public async Task Cancellation_after_the_last_part_changes_nothing()
    {
        using var pool = new ComputePool(1);
        using var cancellation = new CancellationTokenSource();
        await pool.RunPartsAsync(
            3,
            Large,
            (part, _) =>
            {
                if (part == 2)
                {
                    cancellation.Cancel();
                }
            },
            cancellationToken: cancellation.Token);
    }

    [Fact]
    public async Task Awaiter_of_parts_goes_on_on_no_thread_of_the_pool()
    {
        using var pool = new ComputePool(1);
        await pool.RunPartsAsync(2, Large, (_, _) => { }).ContinueWith(
            _ => Assert.DoesNotContain("HeadCluster compute", Thread.CurrentThread.Name ?? "", StringComparison.Ordinal),
            TestContext.Current.CancellationToken,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    // Runs parts of which none ends before all have begun, and counts the threads that they ran on.
    private static async Task<int> CountThreadsAsync(ComputePool pool, int parts)
    {
        using var begun = new CountdownEvent(parts);
        var threads = new ConcurrentBag<int>();
        await pool.RunPartsAsync(
            parts,
            Large,
            (_, _) =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                begun.Signal();
                begun.Wait(TestContext.Current.CancellationToken);
            });
        return threads.Distinct().Count();
    }
}
