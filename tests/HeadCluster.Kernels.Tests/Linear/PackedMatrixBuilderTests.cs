using CsCheck;

namespace HeadCluster.Kernels.Tests.Linear;

public sealed class PackedMatrixBuilderTests
{
    private static readonly Gen<(int Inputs, int Outputs, int Format, int Seed)> Matrices =
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 300], Gen.Int[0, 2], Gen.Int[0, 1_000_000]);

    [Fact]
    public void Matrix_packed_in_any_pieces_and_any_order_has_the_bits_of_one_packed_whole() => Matrices.Sample(
        matrix =>
        {
            var (inputs, outputs, seed) = (matrix.Inputs, matrix.Outputs, matrix.Seed);
            var format = (WeightFormat)matrix.Format;
            var random = new Random(seed);
            var (weights, bias) = (Data.Of(format, Data.Noise(seed, inputs * outputs)), Data.Noise(seed + 1, outputs));
            weights[random.Next(weights.Length)] = random.Next(2) == 0 ? 1 : float.PositiveInfinity;

            var builder = new PackedMatrixBuilder(inputs, outputs, format);
            (int First, int Count)[] rows = Cut(random, inputs), columns = Cut(random, outputs);
            var pieces = rows.SelectMany(row => columns.Select(column => (Row: row, Column: column))).ToArray();
            random.Shuffle(pieces);
            foreach (var (row, column) in pieces)
            {
                var band = weights.AsSpan(row.First * outputs, row.Count * outputs);
                builder.Place(row.First, column.First, column.Count, Data.Columns(band, outputs, column.First, column.Count));
            }

            foreach (var (first, count) in columns)
            {
                builder.PlaceBias(first, bias.AsSpan(first, count));
            }

            var whole = PackedMatrix.Pack(inputs, new LinearPart(outputs, weights, bias, format));
            var packed = builder.Build();
            Same(whole, packed);
            Assert.Equal(weights.All(float.IsFinite), packed.IsFinite);
        },
        iter: 500);

    [Fact]
    public void Matrix_of_which_a_piece_is_missing_or_there_twice_is_refused()
    {
        var builder = new PackedMatrixBuilder(3, 70, WeightFormat.Float32);
        builder.Place(0, 0, 70, new float[2 * 70]);
        builder.Place(2, 0, 69, new float[69]);
        var error = Assert.Throws<InvalidOperationException>(builder.Build);
        Assert.Equal("209 weights were placed; expected each of [3, 70] once", error.Message);

        builder.Place(0, 0, 2, new float[2]);
        Assert.Throws<InvalidOperationException>(builder.Build);
    }

    [Fact]
    public void Piece_that_does_not_lie_within_the_matrix_is_refused()
    {
        var builder = new PackedMatrixBuilder(3, 70, WeightFormat.BFloat16);
        var error = Assert.Throws<ArgumentException>(() => builder.Place(2, 5, 10, new float[20]));
        Assert.Equal("20 weights of 10 outputs from input 2, output 5 on do not fit [3, 70]", error.Message);
        Assert.Throws<ArgumentException>(() => builder.Place(0, 61, 10, new float[10]));
        Assert.Throws<ArgumentException>(() => builder.Place(0, 0, 10, new float[11]));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Place(-1, 0, 10, new float[10]));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Place(0, -1, 10, new float[10]));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Place(0, 0, 0, []));
        Assert.Throws<ArgumentException>(() => builder.PlaceBias(61, new float[10]));
        Assert.ThrowsAny<ArgumentException>(() => builder.PlaceBias(71, []));
    }

    [Fact]
    public void Weight_that_is_not_of_the_format_is_named_by_its_place_in_the_matrix()
    {
        var builder = new PackedMatrixBuilder(5, 90, WeightFormat.Float16);
        var error = Assert.Throws<ArgumentException>(() => builder.Place(3, 60, 10, [.. new float[17], 1e-8f, 0, 0]));
        Assert.Equal("weight 1E-08 of input 4, output 67 is not a Float16", error.Message);
    }

    // Neighbouring runs that make up a length.
    private static (int First, int Count)[] Cut(Random random, int length)
    {
        var runs = new List<(int First, int Count)>();
        for (var first = 0; first < length;)
        {
            var count = random.Next(1, length - first + 1);
            runs.Add((first, count));
            first += count;
        }

        return [.. runs];
    }

    private static void Same(PackedMatrix expected, PackedMatrix actual)
    {
        Assert.Equal((expected.Inputs, expected.Outputs, expected.Format), (actual.Inputs, actual.Outputs, actual.Format));
        Data.SameBits(expected.Biases, actual.Biases);
        if (expected.Format == WeightFormat.Float32)
        {
            Data.SameBits(expected.Stored<float>(), actual.Stored<float>());
        }
        else
        {
            Assert.Equal(expected.Stored<ushort>(), actual.Stored<ushort>());
        }
    }
}
