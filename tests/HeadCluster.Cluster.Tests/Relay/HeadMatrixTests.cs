using HeadCluster.Grains;

namespace HeadCluster.Tests.Relay;

public sealed class HeadMatrixTests
{
    [Theory]
    [InlineData(0, 1, 2, 3)]
    [InlineData(1, 2)]
    [InlineData(3, 2, 1)]
    [InlineData(0, 2, 3)]
    [InlineData(4)]
    public void Outputs_from_elsewhere_are_copied_to_the_columns_of_their_heads_and_no_other_changes(params int[] places)
    {
        const int Rows = 7;
        const int Heads = 5;
        const int Width = 3;
        const int FirstRow = 2;
        const int Copied = 4;
        var matrix = HeadMatrix.Rent(Rows, Heads, Width);
        var elements = matrix.At(0).Span[..(Rows * Heads * Width)];
        elements.Fill(-1);

        // Each element says where it stands in the source.
        var source = FloatTensor.Rent(out var values, Copied, places.Length * Width);
        for (var i = 0; i < source.Length; i++)
        {
            values[i] = i;
        }

        matrix.Write(source, places, FirstRow);
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column < Heads * Width; column++)
            {
                var place = Array.IndexOf(places, column / Width);
                var expected = place >= 0 && row is >= FirstRow and < FirstRow + Copied
                    ? source.Row(row - FirstRow)[(place * Width) + (column % Width)]
                    : -1;
                Assert.Equal(expected, elements[(row * Heads * Width) + column]);
            }
        }
    }
}
