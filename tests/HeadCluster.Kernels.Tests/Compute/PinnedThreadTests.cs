using System.Collections.Concurrent;
using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Compute;

public sealed class PinnedThreadTests
{
    [Fact]
    public async Task Threads_of_a_pinned_pool_keep_to_a_processor_each_and_begin_with_the_first_again_beyond_their_number()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads are pinned in the way of Linux");
        var processors = ThreadProcessors.Allowed();
        Assert.SkipWhen(processors.Length > Environment.ProcessorCount, "a quota grants this process fewer processors than it may use");
        var pinned = await AllowedOnThreadsAsync(processors.Length + 1, pinned: true);

        Assert.Equal(processors.Append(processors[0]).Order(), pinned.Select(allowed => Assert.Single(allowed)).Order());

        // The rest of the process may use what it could before.
        Assert.Equal(processors, ThreadProcessors.Allowed());
    }

    [Fact]
    public async Task Threads_of_another_pool_may_use_all_processors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads are pinned in the way of Linux");
        var allowed = ThreadProcessors.Allowed();
        Assert.All(await AllowedOnThreadsAsync(2, pinned: false), other => Assert.Equal(allowed, other));
    }

    // Linux numbers the two processors of a core one after the other on some machines, and half of all processors apart on others.
    [Theory]
    [InlineData("0 1 2 3 4 5", "0-1 0-1 2-3 2-3 4-5 4-5", "0 2 4 1 3 5")]
    [InlineData("0 1 2 3 4 5", "0,3 1,4 2,5 0,3 1,4 2,5", "0 1 2 3 4 5")]
    [InlineData("0 1 2 3 4 5", "0-3 0-3 0-3 0-3 4 5", "0 4 5 1 2 3")]
    [InlineData("1 2 3 6", "0-1 2-3 2-3 6-7", "1 2 6 3")]
    [InlineData("0 1 2", "0 1 2", "0 1 2")]
    [InlineData("0 1 2 3", "? ? ? ?", "0 1 2 3")]
    [InlineData("0 1 2 3", "0-1 0-1 ? ?", "0 2 3 1")]
    public void Processors_are_taken_one_of_each_core_first(string processors, string siblings, string order)
    {
        int[] ascending = [.. processors.Split(' ').Select(int.Parse)];
        var cores = ascending.Zip(siblings.Split(' ')).ToDictionary(pair => pair.First, pair => pair.Second);
        var taken = PinnedThread.OneOfEachCoreFirst(ascending, processor => cores[processor] == "?" ? null : cores[processor]);
        Assert.Equal(order, string.Join(' ', taken));
    }

    // Which processors each thread of a pool may use.
    private static async Task<int[][]> AllowedOnThreadsAsync(int threads, bool pinned)
    {
        using var pool = new ComputePool(threads, pinned);
        using var all = new Barrier(threads);
        var allowed = new ConcurrentBag<int[]>();
        await pool.RunPartsAsync(
            threads,
            threads * ComputePool.InlineOperations,
            (_, token) =>
            {
                // A part on each thread, since none ends before all have begun.
                all.SignalAndWait(token);
                allowed.Add(ThreadProcessors.Allowed());
            },
            cancellationToken: TestContext.Current.CancellationToken);
        return [.. allowed];
    }
}
