namespace HeadCluster.Kernels.Tests.Linear;

/// <summary>Every size around vectors, panels and tiles, each operand ending where memory does.</summary>
public sealed class LinearBoundaryTests
{
    private const int MostRows = 20, MostInputs = 70, MostOutputs = 70;

    [Fact]
    public void Linear_of_every_small_shape_has_the_bits_of_its_chains_and_stays_within_its_spans() =>
        Parallel.For(1, MostOutputs + 1, EveryShapeOf);

    [Fact]
    public void Linear_of_many_rows_has_the_bits_of_its_chains_and_stays_within_its_spans()
    {
        // Many tiles of rows one after the other, with any rest. They take a whole panel and a narrow one.
        foreach (var rows in (int[])[95, 96, 97, 127, 128, 129, 255, 256, 257])
        {
            var (x, weights, bias) = (Data.Noise(rows, rows * 19), Data.Noise(2, 19 * 65), Data.Noise(3, 65));
            using Guarded source = new(x), y = new(rows * 65);
            LinearKernel.Apply(source.Span, rows, PackedMatrix.Pack(19, new LinearPart(65, weights, bias)), y.Span);
            Data.SameBits(Chains(x, weights, bias), y.Span);
            y.Check();
        }
    }

    // A row alone takes several whole panels at once, as many as registers allow, and asks for weights of 16 bits ahead.
    [Theory]
    [InlineData(WeightFormat.Float32)]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Float16)]
    public void Linear_of_a_row_alone_through_several_panels_has_the_bits_of_its_chains_and_stays_within_its_spans(WeightFormat format)
    {
        foreach (var outputs in (int[])[128, 192, 256, 300, 576])
        {
            foreach (var inputs in (int[])[2, 9, 33])
            {
                var (x, weights, bias) = (Data.Noise(outputs, inputs), Data.Of(format, Data.Noise(2, inputs * outputs)), Data.Noise(3, outputs));
                CheckRow(format, x, weights, bias);

                // One that is infinite has weights of 16 bits read in another way.
                weights[outputs] = float.PositiveInfinity;
                CheckRow(format, x, weights, bias);
            }
        }
    }

    [Fact]
    public void Linear_leaves_what_its_spans_hold_beyond_the_rows()
    {
        var y = Enumerable.Repeat(7f, 100).ToArray();
        LinearKernel.Apply(Data.Noise(1, 50), 3, PackedMatrix.Pack(10, new LinearPart(19, Data.Noise(2, 190))), y);
        Assert.DoesNotContain(7f, y[..57]);
        Assert.All(y[57..], value => Assert.Equal(7, value));
    }

    // All inputs at once, and in two runs of which the second goes on with what the first gave.
    private static void CheckRow(WeightFormat format, float[] x, float[] weights, float[] bias)
    {
        var matrix = PackedMatrix.Pack(x.Length, new LinearPart(bias.Length, weights, bias, format));
        Assert.Equal(format, matrix.Format);
        var expected = Chains(x, weights, bias);
        foreach (var cut in (int[])[0, 1, x.Length / 2])
        {
            using Guarded source = new(x), y = new(bias.Length);
            LinearKernel.ApplyInputs(source.Span, 1, matrix, 0, x.Length - cut, y.Span);
            LinearKernel.ApplyInputs(source.Span, 1, matrix, x.Length - cut, cut, y.Span);
            Data.SameBits(expected, y.Span);
            y.Check();
        }
    }

    private static void EveryShapeOf(int outputs)
    {
        for (var inputs = 1; inputs <= MostInputs; inputs++)
        {
            var (x, weights, bias) = (Data.Noise(1, MostRows * inputs), Data.Noise(2, inputs * outputs), Data.Noise(3, outputs));
            var expected = Chains(x, weights, bias);
            var matrix = PackedMatrix.Pack(inputs, new LinearPart(outputs, weights, bias));
            for (var rows = 1; rows <= MostRows; rows++)
            {
                using Guarded source = new(x.AsSpan(0, rows * inputs)), y = new(rows * outputs);
                LinearKernel.Apply(source.Span, rows, matrix, y.Span);
                Data.SameBits(expected.AsSpan(0, rows * outputs), y.Span);
                y.Check();
            }
        }
    }

    // y[r, c] = b[c], then + x[r, i] W[i, c] for i ascending, each step rounded once.
    private static float[] Chains(float[] x, float[] weights, float[] bias)
    {
        var (inputs, outputs) = (weights.Length / bias.Length, bias.Length);
        var rows = x.Length / inputs;
        var y = new float[rows * outputs];
        for (var row = 0; row < rows; row++)
        {
            var sums = y.AsSpan(row * outputs, outputs);
            bias.CopyTo(sums);
            for (var input = 0; input < inputs; input++)
            {
                for (var output = 0; output < outputs; output++)
                {
                    sums[output] = MathF.FusedMultiplyAdd(x[(row * inputs) + input], weights[(input * outputs) + output], sums[output]);
                }
            }
        }

        return y;
    }
}
