namespace HeadCluster.Kernels.Tests;

/// <summary>What a call allocates.</summary>
internal static class Allocated
{
    /// <summary>
    /// The least of several calls, in bytes: the runtime may compile the code anew between two of them, or a collection empty
    /// the shared pool, which the next call fills again.
    /// </summary>
    public static long By(Action call)
    {
        call();
        var least = long.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            call();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
