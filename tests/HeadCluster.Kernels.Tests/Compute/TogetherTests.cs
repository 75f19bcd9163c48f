using CsCheck;

namespace HeadCluster.Kernels.Tests.Compute;

/// <summary>Ends of one request's work that are told together, so that awaiters do not take the processor from threads that compute.</summary>
public sealed class TogetherTests
{
    private const long Large = ComputePool.InlineOperations;

    [Fact]
    public async Task Ends_are_told_together_once_no_more_of_the_request_waits() =>
        Assert.Equal(["", "", "", "0 1 2"], await TellAsync(
            turn => [new(turn, 0, Together: 9), new(turn, 1, 9), new(turn, 2, 9), new(turn + 1, 0)]));

    [Fact]
    public async Task Ends_are_told_when_as_many_as_asked_for_are_there() =>
        Assert.Equal(["", "", "0 1", "0 1", "0 1 2 3"], await TellAsync(
            turn => [new(turn, 0, Together: 2), new(turn, 1, 2), new(turn, 2, 2), new(turn, 3, 2), new(turn, 4, 2)]));

    [Fact]
    public async Task An_end_that_is_to_be_told_at_once_takes_those_before_it_along() =>
        Assert.Equal(["", "", "0 1"], await TellAsync(turn => [new(turn, 0, Together: 9), new(turn, 1), new(turn, 2, 9)]));

    [Fact]
    public async Task An_end_waits_for_no_other_request() =>
        Assert.Equal(["", "0", "0 1"], await TellAsync(turn => [new(turn, 0, Together: 9), new(turn + 1, 0, 9), new(turn + 2, 0, 9)]));

    [Fact]
    public async Task An_error_is_told_at_once_with_what_ended_before() =>
        Assert.Equal(["", "", "0 1"], await TellAsync(
            turn => [new(turn, 0, Together: 9), new(turn, 1, 9), new(turn, 2, 9)], failing: 1));

    [Fact]
    public async Task Every_end_is_told_whatever_else_the_threads_do() =>
        await Gen.Select(Gen.Int[1, 4], Gen.Select(Gen.Int[0, 3], Gen.Int[0, 5], Gen.Int[1, 6], Gen.Int[1, 3]).Array[1, 40]).SampleAsync(
            async (threads, work) =>
            {
                using var pool = new ComputePool(threads);
                var turns = Array.ConvertAll(new int[4], _ => pool.TakeTurn());
                await Task.WhenAll(work.Select(one => pool.RunPartsAsync(
                    one.Item4, one.Item4 * Large, (_, _) => { }, new(turns[one.Item1], one.Item2, one.Item3), cancellationToken: TestContext.Current.CancellationToken)));
            },
            iter: 300);

    // One thread does work of these orders. Returns for each which before it were told when it began.
    private static async Task<string[]> TellAsync(Func<long, ComputeOrder[]> choose, int? failing = null)
    {
        using var pool = new ComputePool(1);
        using var release = new ManualResetEventSlim();
        var busy = pool.RunAsync(Large, release.Wait, cancellationToken: TestContext.Current.CancellationToken);
        var orders = choose(pool.TakeTurn());
        var (tasks, told) = (new Task[orders.Length], new string[orders.Length]);
        for (var i = 0; i < orders.Length; i++)
        {
            var own = i;
            tasks[i] = pool.RunAsync(Large, Work, orders[i], TestContext.Current.CancellationToken);

            void Work(CancellationToken token)
            {
                told[own] = string.Join(' ', Enumerable.Range(0, tasks.Length).Where(other => tasks[other].IsCompleted));
                if (own == failing)
                {
                    throw new InvalidOperationException("as asked");
                }
            }
        }

        release.Set();
        await busy;
        await Task.WhenAll(tasks.Where((_, i) => i != failing));
        return told;
    }
}
