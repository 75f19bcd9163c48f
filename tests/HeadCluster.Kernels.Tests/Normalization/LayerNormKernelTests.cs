using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Normalization;

public sealed class LayerNormKernelTests
{
    private const float Epsilon = 1e-5f;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LayerNorm_of_any_length_equals_its_definition_and_stays_within_its_span(bool withBias)
    {
        for (var columns = 0; columns <= 256; columns++)
        {
            var x = Data.Noise(columns, 3 * columns);
            using Guarded scale = new(Data.Noise(columns + 1, columns)), bias = new(withBias ? Data.Noise(columns + 2, columns) : []);
            using Guarded source = new(x), destination = new(3 * columns), inPlace = new(x);
            LayerNormKernel.Apply(source.Span, 3, scale.Span, bias.Span, Epsilon, destination.Span);
            LayerNormKernel.Apply(inPlace.Span, 3, scale.Span, bias.Span, Epsilon, inPlace.Span);

            if (columns > 0)
            {
                var expected = TransformerDefinition.LayerNorm<double>(Data.Widen(x), Data.Widen(scale.Span), Data.Widen(bias.Span), Epsilon);
                Tolerance.Sum.Check(expected, destination.Span);
            }

            Data.SameBits(destination.Span, inPlace.Span);
            destination.Check();
            inPlace.Check();
        }
    }

    [Fact]
    public void LayerNorm_row_by_row_has_the_bits_of_all_rows_at_once()
    {
        var (x, scale, bias) = (Data.Noise(1, 7 * 37), Data.Noise(2, 37), Data.Noise(3, 37));
        var (together, apart) = (new float[x.Length], new float[x.Length]);
        LayerNormKernel.Apply(x, 7, scale, bias, Epsilon, together);
        for (var row = 0; row < 7; row++)
        {
            LayerNormKernel.Apply(x.AsSpan(row * 37, 37), 1, scale, bias, Epsilon, apart.AsSpan(row * 37));
        }

        Data.SameBits(together, apart);
    }

    [Fact]
    public void LayerNorm_of_values_far_from_zero_keeps_its_digits()
    {
        var x = Data.Noise(4, 64).Select(value => value + 1000).ToArray();
        var (ones, y) = (Enumerable.Repeat(1f, 64).ToArray(), new float[64]);
        LayerNormKernel.Apply(x, 1, ones, [], Epsilon, y);

        // The mean is known to 6e-5 at best: float32 has no more digits at 1000.
        new Tolerance(2e-4, 0).Check(TransformerDefinition.LayerNorm<double>(Data.Widen(x), Data.Widen(ones), [], Epsilon), y);
    }

    [Fact]
    public void LayerNorm_of_one_column_is_its_bias()
    {
        var y = new float[2];
        LayerNormKernel.Apply([1000, -1e30f], 2, [3], [7], Epsilon, y);
        Assert.Equal([7f, 7f], y);
    }

    [Fact]
    public void LayerNorm_of_a_row_with_NaN_or_infinity_is_NaN_and_leaves_the_other_rows()
    {
        foreach (var special in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            var (x, ones, clean, y) = (Data.Noise(1, 3 * 37), Enumerable.Repeat(1f, 37).ToArray(), new float[3 * 37], new float[3 * 37]);
            LayerNormKernel.Apply(x, 3, ones, [], Epsilon, clean);
            x[37 + 36] = special;
            LayerNormKernel.Apply(x, 3, ones, [], Epsilon, y);
            Assert.All(y[37..74], value => Assert.Equal(float.NaN, value));
            Data.SameBits([.. clean[..37], .. clean[74..]], [.. y[..37], .. y[74..]]);
        }
    }

    [Fact]
    public void LayerNorm_with_short_or_partly_overlapping_spans_throws()
    {
        var (memory, scale) = (new float[200], new float[20]);
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(new float[39], 2, scale, [], Epsilon, new float[40]));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(new float[40], 2, scale, [], Epsilon, new float[39]));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(new float[40], 2, scale, new float[19], Epsilon, new float[40]));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(memory.AsSpan(0, 40), 2, scale, [], Epsilon, memory.AsSpan(20, 40)));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(memory.AsSpan(20, 40), 2, scale, [], Epsilon, memory.AsSpan(0, 40)));
    }
}
