using HeadCluster.Grains;

namespace HeadCluster.Tests.Relay;

public sealed class ArrivingRowsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_are_joined_once_for_all_that_ask_for_the_whole()
    {
        var x = Matrices.Random(7, 5);
        var rows = new ArrivingRows(7, 5);
        rows.Add(new FloatTensor(x.Span[..20].ToArray(), 4, 5));
        var early = rows.WholeAsync(Stop);
        Assert.False(early.IsCompleted);

        rows.Add(new FloatTensor(x.Span[20..].ToArray(), 3, 5));

        var whole = await early;
        Assert.Equal(x.Span, whole.Span);
        Assert.Same(whole, await rows.WholeAsync(Stop));
    }

    [Fact]
    public async Task Rows_of_one_block_are_not_copied()
    {
        var x = Matrices.Random(7, 5);
        Assert.Same(x, await new ArrivingRows(x).WholeAsync(Stop));
    }
}
