namespace HeadCluster.Kernels;

/// <summary>The sizes of one head: a key/value projection and the query heads that read it.</summary>
/// <param name="ModelDim">Columns of the input x (d_model).</param>
/// <param name="QueryHeads">Query heads that read these keys and values; 1 without grouped queries.</param>
/// <param name="HeadDim">Elements of a query or key (d_head).</param>
/// <param name="ValueDim">Elements of a value; usually HeadDim.</param>
public readonly record struct HeadShape(int ModelDim, int QueryHeads, int HeadDim, int ValueDim)
{
    // What the exponential and the sum of a score take, in multiply-adds of the matrix products: 24 to 27, measured with scores that come from 64
    // dimensions, over 512 and 1024 keys.
    private const int SoftmaxProducts = 26;

    /// <summary>Columns of z, this head's output: the query heads side by side.</summary>
    public int OutputDim => QueryHeads * ValueDim;

    /// <summary>Columns of the three projections side by side: queries, key, value.</summary>
    public int ProjectionDim => (QueryHeads * HeadDim) + HeadDim + ValueDim;

    /// <summary>Floating-point operations of the projections of <paramref name="rows"/> rows.</summary>
    public long ProjectOperations(int rows) => 2L * rows * ModelDim * ProjectionDim;

    /// <summary>
    /// Floating-point operations of the attention of <paramref name="rows"/> queries over <paramref name="keys"/> keys, unmasked. The softmax counts
    /// as the products that would take as long, so that a silo does as many operations a second whatever their parts are.
    /// </summary>
    public long AttendOperations(int rows, int keys) => 2L * rows * keys * QueryHeads * (HeadDim + ValueDim + SoftmaxProducts);
}
