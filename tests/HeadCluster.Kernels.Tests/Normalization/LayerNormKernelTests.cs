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
        for (var columns = 0; columns <= 100; columns++)
        {
            var x = Data.Noise(columns, 3 * columns);
            var scale = new Guarded(Data.Noise(columns + 1, columns));
            var bias = new Guarded(withBias ? Data.Noise(columns + 2, columns) : []);
            var (source, destination, inPlace) = (new Guarded(x), new Guarded(3 * columns), new Guarded(x));
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
    public void LayerNorm_with_short_or_partly_overlapping_spans_throws()
    {
        var (memory, scale) = (new float[200], new float[20]);
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(new float[39], 2, scale, [], Epsilon, new float[40]));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(new float[40], 2, scale, [], Epsilon, new float[39]));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(new float[40], 2, scale, new float[19], Epsilon, new float[40]));
        Assert.Throws<ArgumentException>(() => LayerNormKernel.Apply(memory.AsSpan(0, 40), 2, scale, [], Epsilon, memory.AsSpan(20, 40)));
    }
}
