using HeadCluster.Grains;

namespace HeadCluster.Tests.Placement;

public sealed class LocalGrainsTests
{
    private static readonly HeadId Head = new("model", 0, 0);
    private static readonly GrainId Coordinator = GrainId.Create("multi-head-attention", "model/0");

    private readonly LocalGrains _local = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_here_is_gone()
    {
        await _local.WaitUntilGoneAsync(Head, Stop);
        await _local.WaitUntilGoneAsync(Coordinator, Stop);
    }

    [Fact]
    public async Task What_leaves_is_waited_for_until_nothing_is_left_of_it()
    {
        var (head, coordinator) = (new TaskCompletionSource(), new TaskCompletionSource());
        _local.Remove(Head, head.Task);
        _local.RemoveCoordinator(Coordinator, coordinator.Task);

        var (headGone, coordinatorGone) = (_local.WaitUntilGoneAsync(Head, Stop), _local.WaitUntilGoneAsync(Coordinator, Stop));
        Assert.False(headGone.IsCompleted);
        Assert.False(coordinatorGone.IsCompleted);

        head.SetResult();
        await headGone;
        Assert.False(coordinatorGone.IsCompleted);
        coordinator.SetResult();
        await coordinatorGone;
    }

    [Fact]
    public async Task What_came_back_and_leaves_again_is_waited_for_again()
    {
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        _local.Remove(Head, first.Task);
        var firstGone = _local.WaitUntilGoneAsync(Head, Stop);
        _local.Remove(Head, second.Task);

        first.SetResult();
        await firstGone;
        var gone = _local.WaitUntilGoneAsync(Head, Stop);
        Assert.False(gone.IsCompleted);
        second.SetResult();
        await gone;
    }
}
