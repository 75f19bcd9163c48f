using HeadCluster.Grains;

namespace HeadCluster.Tests.Relay;

public sealed class LocalHeadTests
{
    private static readonly HeadReport Report =
        new(new HeadId("model", 0, 0), SiloAddress.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, Patterns: null);

    private static readonly HeadColumns Output = HeadMatrix.Rent(1, 1, 1).At(0);

    // One turn at a time, as those of a grain.
    private readonly TaskScheduler _grain = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;

    // What each request computes, by its turn on the compute threads.
    private readonly TaskCompletionSource<HeadReport>[] _computing = [new(), new()];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_it_is_asked_runs_in_turns_of_its_grain()
    {
        var seen = new List<TaskScheduler>();
        var head = await MakeAsync(async _ =>
        {
            seen.Add(TaskScheduler.Current);
            await Task.Yield();
            seen.Add(TaskScheduler.Current);
            return Report;
        });

        Assert.Same(Report, await Attend(head, 0)!);
        Assert.Equal([_grain, _grain], seen);
    }

    [Fact]
    public async Task Turns_of_several_requests_interleave()
    {
        var head = await MakeAsync();
        var (first, second) = (Attend(head, 0)!, Attend(head, 1)!);

        _computing[1].SetResult(Report);
        Assert.Same(Report, await second);
        Assert.False(first.IsCompleted);
        _computing[0].SetResult(Report);
        Assert.Same(Report, await first);
    }

    [Fact]
    public async Task A_head_that_goes_takes_nothing_more()
    {
        var head = await MakeAsync();
        await head.CloseAsync();

        Assert.Null(Attend(head, 0));
    }

    [Fact]
    public async Task A_head_that_goes_ends_what_it_took_whether_in_success_or_not()
    {
        var head = await MakeAsync();
        var (first, second) = (Attend(head, 0)!, Attend(head, 1)!);

        var closed = head.CloseAsync();
        _computing[0].SetException(new InvalidOperationException("broken"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        Assert.False(closed.IsCompleted);

        _computing[1].SetResult(Report);
        Assert.Same(Report, await second);
        await closed.WaitAsync(Stop);
    }

    private static Task<HeadReport>? Attend(LocalHead head, int turn) =>
        head.TryAttend(new LayerInput(new ArrivingRows(1, 1), [1], Patterns: null, Sequence: null, turn), Output, Stop);

    private Task<LocalHead> MakeAsync() => MakeAsync(turn => _computing[turn].Task);

    private Task<LocalHead> MakeAsync(Func<long, Task<HeadReport>> compute) =>
        Task.Factory.StartNew(() => new LocalHead((input, _, _) => compute(input.Turn)), Stop, TaskCreationOptions.None, _grain);
}
