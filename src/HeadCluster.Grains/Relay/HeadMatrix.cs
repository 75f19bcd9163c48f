namespace HeadCluster.Grains;

/// <summary>
/// The outputs z of some heads side by side, <c>[rows, heads · width]</c>: each head writes its own columns, and nothing has to be
/// put together afterwards.
/// </summary>
/// <param name="tensor">The matrix.</param>
/// <param name="elements">Its elements, row-major.</param>
/// <param name="width">Columns of one head.</param>
internal sealed class HeadMatrix(FloatTensor tensor, float[] elements, int width)
{
    /// <summary>Room for the outputs of some heads.</summary>
    public static HeadMatrix Rent(int rows, int heads, int width) => new(FloatTensor.Rent(out var elements, rows, heads * width), elements, width);

    /// <summary>The matrix, once all heads have written their columns.</summary>
    public FloatTensor Tensor => tensor;

    /// <summary>Columns of one head.</summary>
    public int Width => width;

    /// <summary>Heads that there is room for.</summary>
    public int Heads => tensor.Columns / width;

    /// <summary>The columns of the head that stands at a place, from 0.</summary>
    public HeadColumns At(int place) => new(elements, tensor.Columns, place * width, width);

    /// <summary>Copies outputs that were computed elsewhere.</summary>
    /// <param name="source">Those of some heads side by side, <c>[rows, places · Width]</c>.</param>
    /// <param name="places">Where each of them stands here. Those that stand side by side here too are copied together.</param>
    /// <param name="firstRow">Where the first row belongs.</param>
    public void Write(FloatTensor source, ReadOnlySpan<int> places, int firstRow)
    {
        for (int first = 0, end; first < places.Length; first = end)
        {
            for (end = first + 1; end < places.Length && places[end] == places[end - 1] + 1; end++)
            {
            }

            var target = elements.AsSpan((firstRow * tensor.Columns) + (places[first] * width));
            Copy(source, first * width, (end - first) * width, target, tensor.Columns);
        }
    }

    /// <summary>Copies some columns of all rows of a matrix.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="firstColumn">The first of its columns that is copied.</param>
    /// <param name="columns">How many.</param>
    /// <param name="target">Where the first element belongs.</param>
    /// <param name="stride">How much further its next row is there.</param>
    internal static void Copy(FloatTensor source, int firstColumn, int columns, Span<float> target, int stride)
    {
        var elements = source.Span;
        for (var row = 0; row < source.Rows; row++)
        {
            elements.Slice((row * source.Columns) + firstColumn, columns).CopyTo(target[(row * stride)..]);
        }
    }
}

/// <summary>Where one head writes z.</summary>
/// <param name="Elements">The matrix, <c>[rows, Stride]</c>.</param>
/// <param name="Stride">Columns of the matrix.</param>
/// <param name="First">The head's first column.</param>
/// <param name="Width">The head's columns.</param>
internal readonly record struct HeadColumns(float[] Elements, int Stride, int First, int Width)
{
    /// <summary>Heads of the matrix: of so many the outputs are of use only together.</summary>
    public int Together => Stride / Width;

    /// <summary>From the head's first element on; its next row is <see cref="Stride"/> further.</summary>
    public Span<float> Span => Elements.AsSpan(First);

    /// <summary>Copies the head's output, which was computed elsewhere.</summary>
    public void Write(FloatTensor output) => HeadMatrix.Copy(output, firstColumn: 0, Width, Span, Stride);
}
