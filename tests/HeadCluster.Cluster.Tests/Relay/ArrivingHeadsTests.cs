using HeadCluster.Grains;

namespace HeadCluster.Tests.Relay;

public sealed class ArrivingHeadsTests
{
    private readonly ArrivingHeads _heads = new(HeadMatrix.Rent(1, 4, 1));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leading_heads_are_those_without_one_missing_before_them()
    {
        _heads.Add(1);
        Assert.Equal(0, _heads.Leading);
        _heads.Add(0);
        Assert.Equal(2, _heads.Leading);
        _heads.Add(3);
        Assert.Equal(2, await _heads.WaitAsync(2, Stop));
    }

    [Fact]
    public async Task Heads_are_waited_for_whichever_they_are_and_in_any_order()
    {
        var some = _heads.WaitForAsync([1, 3], Stop);
        var other = _heads.WaitForAsync([2], Stop);
        _heads.Add(3);
        _heads.Add(0);
        _heads.Add(3);
        Assert.False(some.IsCompleted);
        _heads.Add(1);
        await some;
        Assert.False(other.IsCompleted);
        _heads.Add(2);
        await other;
        Assert.True(_heads.WaitForAsync([0, 1, 2, 3], Stop).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Waiting_for_heads_ends_with_its_token()
    {
        using var end = new CancellationTokenSource();
        var waiting = _heads.WaitForAsync([0], end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
