namespace HeadCluster.Grains;

/// <summary>
/// Matrices cross the network in blocks of rows: heads project the first rows while the next are on their way, no message comes
/// near the largest that Orleans takes, and probes of the membership never wait long behind one.
/// </summary>
internal static class TransferBlocks
{
    /// <summary>What goes with the request, in bytes: all of x where that travels in a few milliseconds, with one message.</summary>
    public const int FirstBlockBytes = 2 * 1024 * 1024;

    /// <summary>A block of the rest, in bytes: it travels for a millisecond, several times the cost of a message.</summary>
    private const int BlockBytes = 1024 * 1024;

    /// <summary>The least of z that travels before the reply, in bytes: the output projection of so much takes several times what a message costs.</summary>
    public const int PieceBytes = 256 * 1024;

    /// <summary>The most that one reply carries, in bytes.</summary>
    private const int ReplyBytes = 16 * 1024 * 1024;

    /// <summary>Rows of a block of a matrix, 1 or more.</summary>
    public static int Rows(int columns) => Rows(BlockBytes, columns);

    /// <summary>The first block.</summary>
    public static FloatTensor First(FloatTensor matrix) =>
        Rows(FirstBlockBytes, matrix.Columns) is var rows && rows < matrix.Rows ? matrix.RowRange(0, rows) : matrix;

    /// <summary>Whether a matrix goes into one reply.</summary>
    public static bool FitsOne(FloatTensor matrix) => (long)matrix.Length * sizeof(float) <= ReplyBytes;

    /// <summary>
    /// Heads whose outputs travel together, of those that are left: half of them, so that the pieces are few and the last, which is waited
    /// for, is small, and that as long as they are worth a message and fit a block. 1 or more.
    /// </summary>
    public static int HeadsOfPiece(int left, int rows, int width)
    {
        var bytes = (long)rows * width * sizeof(float);
        var least = Math.Max(1, PieceBytes / bytes);
        return (int)Math.Min(left, Math.Clamp((left + 1) / 2, least, Math.Max(least, BlockBytes / bytes)));
    }

    private static int Rows(int bytes, int columns) => Math.Max(1, bytes / (columns * sizeof(float)));
}
