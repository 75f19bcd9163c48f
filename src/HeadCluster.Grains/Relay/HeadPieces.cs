namespace HeadCluster.Grains;

/// <summary>
/// The outputs of the heads that a relay was asked for, in pieces of some heads each: a piece travels when its heads are done, while
/// others still compute, so that the coordinator has few columns left to multiply when the last arrive.
/// </summary>
internal sealed class HeadPieces
{
    private readonly List<Piece> _pieces = [];

    /// <summary>Room for the outputs.</summary>
    /// <param name="rows">Rows of x.</param>
    /// <param name="heads">How many heads.</param>
    /// <param name="width">Columns of one head.</param>
    public HeadPieces(int rows, int heads, int width)
    {
        Columns = new HeadColumns[heads];
        for (var first = 0; first < heads; first = _pieces[^1].End)
        {
            var piece = new Piece(first, HeadMatrix.Rent(rows, TransferBlocks.HeadsOfPiece(heads - first, rows, width), width));
            _pieces.Add(piece);
            for (var place = first; place < piece.End; place++)
            {
                Columns[place] = piece.Matrix.At(place - first);
            }
        }
    }

    /// <summary>Where each head writes.</summary>
    public HeadColumns[] Columns { get; }

    /// <summary>The heads of the last piece, by their places: the reply takes it.</summary>
    public (Range Heads, FloatTensor Output) Last => _pieces[^1].Output;

    /// <summary>A head has written its columns.</summary>
    /// <param name="place">Its place among the heads.</param>
    /// <returns>The piece that is whole now and goes before the reply; null if there is none.</returns>
    public (Range Heads, FloatTensor Output)? Complete(int place)
    {
        var piece = _pieces.First(piece => place < piece.End);
        return --piece.Pending == 0 && piece != _pieces[^1] ? piece.Output : null;
    }

    private sealed class Piece(int first, HeadMatrix matrix)
    {
        public HeadMatrix Matrix => matrix;

        public int End => first + matrix.Heads;

        public int Pending { get; set; } = matrix.Heads;

        public (Range Heads, FloatTensor Output) Output => (first..End, matrix.Tensor);
    }
}
