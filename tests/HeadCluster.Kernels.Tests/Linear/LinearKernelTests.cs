using CsCheck;
using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Linear;

public sealed class LinearKernelTests
{
    private static readonly Gen<(int Rows, int Inputs, int Outputs, int Cut, int Seed)> Shapes =
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 80], Gen.Int[2, 70], Gen.Int[1, 1000], Gen.Int[0, 1000]);

    [Fact]
    public void Linear_of_any_shape_equals_its_definition_and_stays_within_its_span() => Shapes.Sample(
        shape =>
        {
            var (x, weights, bias) = Inputs(shape);
            using Guarded source = new(x), y = new(shape.Rows * shape.Outputs);
            LinearKernel.Apply(source.Span, shape.Rows, Pack(shape.Inputs, weights, bias), y.Span);
            var expected = AttentionDefinition.Linear<double>(
                Data.Widen(x), Data.Widen(weights), Data.Widen(bias), shape.Rows, shape.Inputs, shape.Outputs);
            Tolerance.Sum.Check(expected, y.Span);
            y.Check();
        },
        iter: 300);

    [Fact]
    public void Linear_of_any_split_of_rows_has_the_same_bits() => Shapes.Sample(
        shape =>
        {
            var (x, weights, bias) = Inputs(shape);
            var matrix = Pack(shape.Inputs, weights, bias);
            var (together, apart) = (new float[shape.Rows * shape.Outputs], new float[shape.Rows * shape.Outputs]);
            LinearKernel.Apply(x, shape.Rows, matrix, together);
            var first = shape.Cut % (shape.Rows + 1);
            LinearKernel.Apply(x, first, matrix, apart);
            LinearKernel.Apply(x.AsSpan(first * shape.Inputs), shape.Rows - first, matrix, apart.AsSpan(first * shape.Outputs));
            Data.SameBits(together, apart);
        },
        iter: 300);

    [Fact]
    public void Linear_of_any_split_of_columns_has_the_same_bits() => Shapes.Sample(
        shape =>
        {
            var (x, weights, bias) = Inputs(shape);
            var left = 1 + (shape.Cut % (shape.Outputs - 1));
            var right = shape.Outputs - left;
            var parts = new LinearPart[]
            {
                new(left, Data.Columns(weights, shape.Outputs, 0, left), bias.AsMemory(0, left)),
                new(right, Data.Columns(weights, shape.Outputs, left, right), bias.AsMemory(left)),
            };

            var y = Apply(x, shape.Rows, Pack(shape.Inputs, weights, bias));
            Data.SameBits(y, Apply(x, shape.Rows, PackedMatrix.Pack(shape.Inputs, parts)));
            Data.SameBits(Data.Columns(y, shape.Outputs, 0, left), Apply(x, shape.Rows, PackedMatrix.Pack(shape.Inputs, parts[0])));
            Data.SameBits(Data.Columns(y, shape.Outputs, left, right), Apply(x, shape.Rows, PackedMatrix.Pack(shape.Inputs, parts[1])));
        },
        iter: 300);

    [Theory]
    [InlineData(WeightFormat.Float32)]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Float16)]
    public void Linear_of_any_split_of_inputs_has_the_same_bits_and_reads_no_other_inputs(WeightFormat format) => Shapes.Sample(
        shape =>
        {
            var (x, weights, bias) = Inputs(shape);
            var matrix = PackedMatrix.Pack(shape.Inputs, new LinearPart(shape.Outputs, Data.Of(format, weights), bias, format));
            using var y = new Guarded(shape.Rows * shape.Outputs);
            int[] cuts = [0, .. new[] { shape.Cut % (shape.Inputs + 1), shape.Cut / 7 % (shape.Inputs + 1) }.Order(), shape.Inputs];
            for (var part = 0; part + 1 < cuts.Length; part++)
            {
                // What has not arrived yet may be anything.
                var arrived = x.Select((value, at) => at % shape.Inputs < cuts[part + 1] && at % shape.Inputs >= cuts[part] ? value : float.NaN).ToArray();
                LinearKernel.ApplyInputs(arrived, shape.Rows, matrix, cuts[part], cuts[part + 1] - cuts[part], y.Span);
            }

            Data.SameBits(Apply(x, shape.Rows, matrix), y.Span);
            y.Check();
        },
        iter: 300);

    [Fact]
    public void Linear_of_inputs_that_the_weights_have_not_throws()
    {
        var matrix = Pack(10, new float[200], []);
        Assert.Throws<ArgumentOutOfRangeException>(() => LinearKernel.ApplyInputs(new float[10], 1, matrix, 5, 6, new float[20]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LinearKernel.ApplyInputs(new float[10], 1, matrix, -1, 6, new float[20]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LinearKernel.ApplyInputs(new float[10], 1, matrix, 0, -1, new float[20]));
    }

    [Fact]
    public void Linear_of_a_tile_has_the_bits_of_its_rows_one_by_one()
    {
        var (x, weights, bias) = Inputs((8, 65, 33, 0, 1));
        var matrix = Pack(65, weights, bias);
        var tile = Apply(x, 8, matrix);
        for (var row = 0; row < 8; row++)
        {
            Data.SameBits(tile.AsSpan(row * 33, 33), Apply(x.AsSpan(row * 65, 65), 1, matrix));
        }
    }

    [Fact]
    public void Linear_without_bias_starts_at_zero()
    {
        var (x, weights, _) = Inputs((3, 20, 18, 0, 2));
        Data.SameBits(Apply(x, 3, Pack(20, weights, new float[18])), Apply(x, 3, Pack(20, weights, [])));
    }

    [Fact]
    public void Linear_with_short_or_overlapping_spans_throws()
    {
        var matrix = Pack(10, new float[200], []);
        var memory = new float[100];
        Assert.Throws<ArgumentException>(() => LinearKernel.Apply(new float[19], 2, matrix, new float[40]));
        Assert.Throws<ArgumentException>(() => LinearKernel.Apply(new float[20], 2, matrix, new float[39]));
        Assert.Throws<ArgumentException>(() => LinearKernel.Apply(memory.AsSpan(0, 20), 2, matrix, memory.AsSpan(10, 40)));
    }

    [Fact]
    public void Packing_weights_or_bias_of_another_shape_throws()
    {
        Assert.Throws<ArgumentException>(() => Pack(10, new float[199], new float[20]));
        Assert.Throws<ArgumentException>(() => PackedMatrix.Pack(10, new LinearPart(20, new float[199])));
        Assert.Throws<ArgumentException>(() => PackedMatrix.Pack(10, new LinearPart(20, new float[200], new float[19])));
    }

    [Fact]
    public void Cancelled_linear_throws_and_leaves_its_output()
    {
        var y = new float[20];
        Assert.Throws<OperationCanceledException>(
            () => LinearKernel.Apply(Data.Noise(1, 10), 1, Pack(10, Data.Noise(2, 200), []), y, new CancellationToken(canceled: true)));
        Assert.All(y, value => Assert.Equal(0, value));
    }

    private static (float[] X, float[] Weights, float[] Bias) Inputs((int Rows, int Inputs, int Outputs, int Cut, int Seed) shape) =>
        (Data.Noise(shape.Seed, shape.Rows * shape.Inputs),
         Data.Noise(shape.Seed + 1, shape.Inputs * shape.Outputs),
         Data.Noise(shape.Seed + 2, shape.Outputs));

    private static PackedMatrix Pack(int inputs, float[] weights, float[] bias) =>
        PackedMatrix.Pack(inputs, new LinearPart(weights.Length / inputs, weights, bias));

    private static float[] Apply(ReadOnlySpan<float> x, int rows, PackedMatrix matrix)
    {
        var y = new float[rows * matrix.Outputs];
        LinearKernel.Apply(x, rows, matrix, y);
        return y;
    }
}
