using HeadCluster.Grains;

namespace HeadCluster.Tests.Relay;

/// <summary>Which heads' outputs travel together, and when.</summary>
public sealed class HeadPiecesTests
{
    [Fact]
    public void Small_outputs_all_go_with_the_reply()
    {
        var pieces = new HeadPieces(rows: 11, heads: 3, width: 16);
        for (var place = 0; place < 3; place++)
        {
            Assert.Null(pieces.Complete(place));
        }

        Assert.Equal(0..3, pieces.Last.Heads);
        Assert.Equal((11, 48), (pieces.Last.Output.Rows, pieces.Last.Output.Columns));
    }

    [Fact]
    public void Large_outputs_go_in_pieces_as_soon_as_their_heads_are_done_and_the_last_with_the_reply()
    {
        // 128 KiB a head, so that a piece has two at least, but for the last.
        var pieces = new HeadPieces(rows: 512, heads: 6, width: 64);
        Assert.Null(pieces.Complete(4));
        Assert.Null(pieces.Complete(0));
        pieces.Columns[3].Span[0] = 3;
        pieces.Columns[4].Span[0] = 4;
        var piece = Assert.NotNull(pieces.Complete(3));
        Assert.Equal(3..5, piece.Heads);
        Assert.Equal((512, 128), (piece.Output.Rows, piece.Output.Columns));
        Assert.Equal((3, 4), (piece.Output.Span[0], piece.Output.Span[64]));
        Assert.Null(pieces.Complete(2));
        Assert.Equal(0..3, pieces.Complete(1)?.Heads);
        Assert.Null(pieces.Complete(5));
        Assert.Equal(5..6, pieces.Last.Heads);
        Assert.Equal(64, pieces.Last.Output.Columns);
    }

    [Theory]
    [InlineData(512, 7, "4 2 1")]
    [InlineData(512, 8, "4 2 2")]
    [InlineData(128, 20, "10 8 2")]
    [InlineData(1024, 20, "4 4 4 4 2 1 1")]
    [InlineData(5000, 3, "1 1 1")]
    public void Each_piece_has_half_of_the_heads_that_are_left_within_what_is_worth_a_message_and_fits_a_block(int rows, int heads, string expected)
    {
        var columns = new HeadPieces(rows, heads, width: 64).Columns;
        var pieces = columns.GroupBy(head => head.Elements).Select(piece => piece.ToArray()).ToArray();
        Assert.Equal(expected, string.Join(' ', pieces.Select(piece => piece.Length)));
        Assert.All(pieces, piece => Assert.All(piece, head => Assert.Equal(piece.Length, head.Together)));
    }

    [Fact]
    public void A_head_that_is_larger_than_a_piece_goes_by_itself()
    {
        var pieces = new HeadPieces(rows: 2000, heads: 2, width: 64);
        Assert.Equal(0..1, pieces.Complete(0)?.Heads);
        Assert.Null(pieces.Complete(1));
    }
}
