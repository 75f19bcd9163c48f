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
        // 128 KiB a head, two a piece.
        var pieces = new HeadPieces(rows: 512, heads: 5, width: 64);
        Assert.Equal(2, pieces.HeadsPerPiece);
        Assert.Null(pieces.Complete(3));
        Assert.Null(pieces.Complete(0));
        pieces.Columns[2].Span[0] = 2;
        pieces.Columns[3].Span[0] = 3;
        var piece = Assert.NotNull(pieces.Complete(2));
        Assert.Equal(2..4, piece.Heads);
        Assert.Equal((512, 128), (piece.Output.Rows, piece.Output.Columns));
        Assert.Equal((2, 3), (piece.Output.Span[0], piece.Output.Span[64]));
        Assert.Equal(0..2, pieces.Complete(1)?.Heads);
        Assert.Null(pieces.Complete(4));
        Assert.Equal(4..5, pieces.Last.Heads);
        Assert.Equal(64, pieces.Last.Output.Columns);
    }

    [Fact]
    public void A_head_that_is_larger_than_a_piece_goes_by_itself()
    {
        var pieces = new HeadPieces(rows: 2000, heads: 2, width: 64);
        Assert.Equal(0..1, pieces.Complete(0)?.Heads);
        Assert.Null(pieces.Complete(1));
    }
}
