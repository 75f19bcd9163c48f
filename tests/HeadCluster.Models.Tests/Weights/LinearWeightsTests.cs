using HeadCluster.Tests;

namespace HeadCluster.Models.Tests;

/// <summary>A matrix comes in pieces, of which none is large, and which together are the matrix.</summary>
public sealed class LinearWeightsTests
{
    private const int LargestPiece = 1 << 18;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Matrix_in_a_file_comes_in_small_pieces_that_read_each_weight_once(bool outputsFirst)
    {
        using var directory = new TemporaryDirectory();
        using var tensors = Write(directory, outputsFirst, out var matrix);
        var linear = Take(tensors, matrix, outputsFirst).Part(100, 450).Read();
        Assert.Equal(450 * sizeof(float), tensors.BytesRead);

        Assert.Equal(matrix.Columns(100, 450), InPieces(linear, atLeast: 2));
        Assert.Equal(450 * (1 + 700) * sizeof(float), tensors.BytesRead);
        matrix.AssertPart(linear, 100, 450);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weight_of_a_later_piece_that_is_not_finite_is_refused_with_its_file_and_tensor(bool outputsFirst)
    {
        using var directory = new TemporaryDirectory();
        using var tensors = Write(directory, outputsFirst, out var matrix, last: float.NaN);
        var pieces = 0;
        var error = Assert.Throws<ModelException>(() => Take(tensors, matrix, outputsFirst).Read().Read((_, _) => pieces++));
        Assert.Equal($"{directory.File("model.safetensors")}: tensor 'm.weight' holds NaN; expected finite weights", error.Message);
        Assert.Equal(1, pieces);
    }

    [Fact]
    public void Random_matrix_in_pieces_has_the_bits_of_the_whole()
    {
        using var model = ModelLocation.Open("random:nano?model_dim=700&kv_heads=1&heads=4&head_dim=200");
        var query = model.ReadHead(1, 0).Query;
        Assert.Equal(query.Read(), InPieces(query, atLeast: 3));
    }

    [Fact]
    public void Row_that_is_longer_than_a_piece_comes_by_itself()
    {
        var rows = new List<MatrixSlice>();
        var linear = new LinearWeights(2, LargestPiece + 1, WeightOrder.InputsFirst, (slice, _) => rows.Add(slice), bias: null);
        linear.Read((slice, weights) => Assert.Equal((rows[^1], LargestPiece + 1), (slice, weights.Length)));
        Assert.Equal([new MatrixSlice(0, 1, 0, LargestPiece + 1), new MatrixSlice(1, 1, 0, LargestPiece + 1)], rows);
    }

    private static TensorCatalog Write(TemporaryDirectory directory, bool outputsFirst, out Matrix matrix, float? last = null)
    {
        matrix = new Matrix(seed: 3, inputs: 700, outputs: 600, bias: true);
        var files = new ModelFiles();
        files.AddLinear("m", matrix, outputsFirst);
        if (last is { } value)
        {
            var values = files["m.weight"].Values.ToArray();
            values[^1] = value;
            files["m.weight"] = files["m.weight"] with { Values = values };
        }

        files.Write(directory);
        return TensorCatalog.Open(directory.Path);
    }

    private static StoredLinear Take(TensorCatalog tensors, Matrix matrix, bool outputsFirst) => StoredLinear.Take(
        tensors, "m", outputsFirst ? WeightOrder.OutputsFirst : WeightOrder.InputsFirst, matrix.Inputs, matrix.Outputs);

    // W, put together from its pieces.
    private static float[] InPieces(LinearWeights linear, int atLeast)
    {
        var pieces = 0;
        var whole = new float[linear.Inputs * linear.Outputs];
        linear.Read((slice, weights) =>
        {
            pieces++;
            Assert.InRange(weights.Length, 1, LargestPiece);
            for (var row = 0; row < slice.Rows; row++)
            {
                var to = whole.AsSpan((((int)slice.FirstRow + row) * linear.Outputs) + (int)slice.FirstColumn, slice.Columns);
                weights.Slice(row * slice.Columns, slice.Columns).CopyTo(to);
            }
        });
        Assert.InRange(pieces, atLeast, int.MaxValue);
        return whole;
    }
}
