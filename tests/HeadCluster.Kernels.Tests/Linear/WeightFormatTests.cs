using CsCheck;

namespace HeadCluster.Kernels.Tests.Linear;

public sealed class WeightFormatTests
{
    private static readonly Gen<(int Rows, int Inputs, int Outputs, int Cut, int Seed)> Shapes =
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 80], Gen.Int[2, 70], Gen.Int[1, 1000], Gen.Int[0, 1000]);

    public static TheoryData<WeightFormat> HalfFormats => [WeightFormat.BFloat16, WeightFormat.Float16];

    [Theory]
    [MemberData(nameof(HalfFormats))]
    public void Every_pattern_of_16_bits_loads_as_exactly_its_value(WeightFormat format)
    {
        // Every pattern in its turn, 16 of consecutive numbers in a vector.
        ushort[] patterns = [.. Enumerable.Range(0, 0x10000).Select(bits => (ushort)bits)];
        for (var index = 0; index < patterns.Length; index += Lanes.Count)
        {
            var loaded = format == WeightFormat.BFloat16
                ? BFloat16Weights.Load(in patterns[0], (nuint)index)
                : Float16Weights.Load(in patterns[0], (nuint)index);
            for (var lane = 0; lane < Lanes.Count; lane++)
            {
                var expected = Value(format, patterns[index + lane]);
                var same = float.IsNaN(expected) ? float.IsNaN(loaded[lane]) : Bits(loaded[lane]) == Bits(expected);
                Assert.True(same, $"{format} 0x{index + lane:X4} is {loaded[lane]:R}, expected {expected:R}");
            }
        }
    }

    [Fact]
    public void Every_finite_pattern_loads_as_its_value_where_none_else_is_expected()
    {
        ushort[] patterns = [.. Enumerable.Range(0, 0x10000).Select(bits => (ushort)bits)];
        for (var index = 0; index < patterns.Length; index += Lanes.Count)
        {
            var loaded = FiniteFloat16Weights.Load(in patterns[0], (nuint)index);
            for (var lane = 0; lane < Lanes.Count; lane++)
            {
                var expected = Value(WeightFormat.Float16, patterns[index + lane]);
                Assert.True(!float.IsFinite(expected) || Bits(loaded[lane]) == Bits(expected), $"0x{index + lane:X4} is {loaded[lane]:R}, expected {expected:R}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(HalfFormats))]
    public void Every_number_of_16_bits_is_packed_and_multiplied_exactly(WeightFormat format)
    {
        // 1 · w is w; all numbers, denormals and infinities included, each as the one weight of its column.
        float[] weights = [.. Enumerable.Range(0, 0x10000).Select(bits => Value(format, (ushort)bits)).Where(value => !float.IsNaN(value))];
        var y = Apply([1], 1, PackedMatrix.Pack(1, new LinearPart(weights.Length, weights, Format: format)));
        for (var i = 0; i < weights.Length; i++)
        {
            // A chain starts at +0, so −0 alone does not come back.
            Assert.Equal(Bits(weights[i] + 0f), Bits(y[i]));
        }
    }

    [Theory]
    [MemberData(nameof(HalfFormats))]
    public void Weight_that_is_NaN_makes_its_column_NaN_and_no_other(WeightFormat format)
    {
        var weights = Enumerable.Repeat(1f, 3 * 20).ToArray();
        weights[20 + 17] = float.NaN;
        var y = Apply([1, 1, 1], 1, PackedMatrix.Pack(3, new LinearPart(20, weights, Format: format)));
        Assert.All(y.Index(), column => Assert.Equal(column.Index == 17 ? float.NaN : 3, column.Item));
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16, 1.00390625f)]
    [InlineData(WeightFormat.BFloat16, 1e-45f)]
    [InlineData(WeightFormat.BFloat16, float.MaxValue)]
    [InlineData(WeightFormat.Float16, 1.00048828125f)]
    [InlineData(WeightFormat.Float16, 65536f)]
    [InlineData(WeightFormat.Float16, 1e-8f)]
    [InlineData(WeightFormat.Float16, -2.9802322E-08f)]
    public void Packing_a_weight_that_is_not_of_its_format_throws_and_names_it(WeightFormat format, float weight)
    {
        var weights = new float[3 * 20];
        weights[(2 * 20) + 17] = weight;
        var error = Assert.Throws<ArgumentException>(() => PackedMatrix.Pack(3, new LinearPart(20, weights, Format: format)));
        Assert.Contains($"{weight:R} of input 2, output 17 is not a {format}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(HalfFormats))]
    public void Product_of_any_shape_has_the_bits_of_weights_converted_first(WeightFormat format) => Shapes.Sample(
        shape =>
        {
            var (x, weights, bias) = Inputs(format, shape);
            var stored = PackedMatrix.Pack(shape.Inputs, new LinearPart(shape.Outputs, weights, bias, format));
            var converted = PackedMatrix.Pack(shape.Inputs, new LinearPart(shape.Outputs, weights, bias));
            Assert.Equal((format, WeightFormat.Float32), (stored.Format, converted.Format));
            Data.SameBits(Apply(x, shape.Rows, converted), Apply(x, shape.Rows, stored));
        },
        iter: 300);

    [Theory]
    [MemberData(nameof(HalfFormats))]
    public void Parts_of_one_format_keep_it_and_parts_of_several_are_stored_as_Float32(WeightFormat format) => Shapes.Sample(
        shape =>
        {
            var (x, weights, bias) = Inputs(format, shape);
            var whole = PackedMatrix.Pack(shape.Inputs, new LinearPart(shape.Outputs, weights, bias));
            var left = 1 + (shape.Cut % (shape.Outputs - 1));
            var right = shape.Outputs - left;
            LinearPart first = new(left, Data.Columns(weights, shape.Outputs, 0, left), bias.AsMemory(0, left), format);
            LinearPart second = new(right, Data.Columns(weights, shape.Outputs, left, right), bias.AsMemory(left), format);
            foreach (var (other, expected) in ((WeightFormat, WeightFormat)[])[(format, format), (WeightFormat.Float32, WeightFormat.Float32)])
            {
                var packed = PackedMatrix.Pack(shape.Inputs, first, second with { Format = other });
                Assert.Equal(expected, packed.Format);
                Data.SameBits(Apply(x, shape.Rows, whole), Apply(x, shape.Rows, packed));
            }
        },
        iter: 100);

    private static (float[] X, float[] Weights, float[] Bias) Inputs(
        WeightFormat format, (int Rows, int Inputs, int Outputs, int Cut, int Seed) shape) =>
        (Data.Noise(shape.Seed, shape.Rows * shape.Inputs),
         Data.Of(format, Data.Noise(shape.Seed + 1, shape.Inputs * shape.Outputs)),
         Data.Noise(shape.Seed + 2, shape.Outputs));

    private static float Value(WeightFormat format, ushort bits) => format == WeightFormat.BFloat16
        ? BitConverter.Int32BitsToSingle(bits << 16)
        : (float)BitConverter.UInt16BitsToHalf(bits);

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    private static float[] Apply(ReadOnlySpan<float> x, int rows, PackedMatrix matrix)
    {
        var y = new float[rows * matrix.Outputs];
        LinearKernel.Apply(x, rows, matrix, y);
        return y;
    }
}
