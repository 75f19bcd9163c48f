using System.Collections.Concurrent;
using System.Globalization;

namespace HeadCluster.Kernels.Tests.Compute;

public sealed class PinnedThreadTests
{
    [Fact]
    public async Task Threads_of_a_pinned_pool_keep_to_a_processor_each_and_begin_with_the_first_again_beyond_their_number()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads are pinned in the way of Linux");
        var processors = Processors(Allowed());
        Assert.SkipWhen(processors.Count > Environment.ProcessorCount, "a quota grants this process fewer processors than it may use");
        var pinned = await AllowedOnThreadsAsync(processors.Count + 1, pinned: true);

        Assert.Equal(processors.Append(processors[0]).Order(), pinned.Select(allowed => Assert.Single(Processors(allowed))).Order());

        // The rest of the process may use what it could before.
        Assert.Equal(processors, Processors(Allowed()));
    }

    [Fact]
    public async Task Threads_of_another_pool_may_use_all_processors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads are pinned in the way of Linux");
        var allowed = Allowed();
        Assert.All(await AllowedOnThreadsAsync(2, pinned: false), other => Assert.Equal(allowed, other));
    }

    // Which processors each thread of a pool may use.
    private static async Task<string[]> AllowedOnThreadsAsync(int threads, bool pinned)
    {
        using var pool = new ComputePool(threads, pinned);
        using var all = new Barrier(threads);
        var allowed = new ConcurrentBag<string>();
        await pool.RunPartsAsync(
            threads,
            threads * ComputePool.InlineOperations,
            (_, token) =>
            {
                // A part on each thread, since none ends before all have begun.
                all.SignalAndWait(token);
                allowed.Add(Allowed());
            },
            cancellationToken: TestContext.Current.CancellationToken);
        return [.. allowed];
    }

    // What the calling thread may use, as Linux lists it: 0-3,8.
    private static string Allowed() =>
        File.ReadLines("/proc/thread-self/status").Single(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1];

    private static List<int> Processors(string list) =>
    [
        .. list.Split(',').SelectMany(range =>
        {
            var ends = range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray();
            return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
        }),
    ];
}
