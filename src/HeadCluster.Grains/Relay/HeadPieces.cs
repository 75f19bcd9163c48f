namespace HeadCluster.Grains;

/// <summary>
/// The outputs of the heads that a relay was asked for, in pieces of some heads each: a piece travels when its heads are done, while
/// others still compute, so that the coordinator has few columns left to multiply when the last arrive.
/// </summary>
internal sealed class HeadPieces
{
    private readonly HeadMatrix[] _pieces;
    private readonly int[] _pending;

    /// <summary>Room for the outputs.</summary>
    /// <param name="rows">Rows of x.</param>
    /// <param name="heads">How many heads.</param>
    /// <param name="width">Columns of one head.</param>
    public HeadPieces(int rows, int heads, int width)
    {
        HeadsPerPiece = TransferBlocks.HeadsPerPiece(rows, width);
        _pieces = new HeadMatrix[(heads + HeadsPerPiece - 1) / HeadsPerPiece];
        _pending = new int[_pieces.Length];
        Columns = new HeadColumns[heads];
        for (var piece = 0; piece < _pieces.Length; piece++)
        {
            var first = piece * HeadsPerPiece;
            _pending[piece] = Math.Min(HeadsPerPiece, heads - first);
            _pieces[piece] = HeadMatrix.Rent(rows, _pending[piece], width);
            for (var place = 0; place < _pending[piece]; place++)
            {
                Columns[first + place] = _pieces[piece].At(place);
            }
        }
    }

    /// <summary>Heads of a piece; the last may have fewer.</summary>
    public int HeadsPerPiece { get; }

    /// <summary>Where each head writes.</summary>
    public HeadColumns[] Columns { get; }

    /// <summary>The heads of the last piece, by their places: the reply takes it.</summary>
    public (Range Heads, FloatTensor Output) Last => this[_pieces.Length - 1];

    /// <summary>A head has written its columns.</summary>
    /// <param name="place">Its place among the heads.</param>
    /// <returns>The piece that is whole now and goes before the reply; null if there is none.</returns>
    public (Range Heads, FloatTensor Output)? Complete(int place)
    {
        var piece = place / HeadsPerPiece;
        return --_pending[piece] == 0 && piece < _pieces.Length - 1 ? this[piece] : null;
    }

    private (Range Heads, FloatTensor Output) this[int piece]
    {
        get
        {
            var first = piece * HeadsPerPiece;
            return (first..(first + _pieces[piece].Heads), _pieces[piece].Tensor);
        }
    }
}
