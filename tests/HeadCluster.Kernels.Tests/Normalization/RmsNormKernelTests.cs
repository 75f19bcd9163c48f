using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Normalization;

public sealed class RmsNormKernelTests
{
    private const float Epsilon = 1e-5f;

    [Fact]
    public void RmsNorm_of_any_length_equals_its_definition_and_stays_within_its_span()
    {
        for (var columns = 0; columns <= 256; columns++)
        {
            var x = Data.Noise(columns, 3 * columns);
            var scale = new Guarded(Data.Noise(columns + 1, columns));
            var (source, destination, inPlace) = (new Guarded(x), new Guarded(3 * columns), new Guarded(x));
            RmsNormKernel.Apply(source.Span, 3, scale.Span, Epsilon, destination.Span);
            RmsNormKernel.Apply(inPlace.Span, 3, scale.Span, Epsilon, inPlace.Span);

            if (columns > 0)
            {
                Tolerance.Sum.Check(TransformerDefinition.RmsNorm<double>(Data.Widen(x), Data.Widen(scale.Span), Epsilon), destination.Span);
            }

            Data.SameBits(destination.Span, inPlace.Span);
            destination.Check();
            inPlace.Check();
        }
    }

    [Fact]
    public void RmsNorm_row_by_row_has_the_bits_of_all_rows_at_once()
    {
        var (x, scale) = (Data.Noise(1, 7 * 37), Data.Noise(2, 37));
        var (together, apart) = (new float[x.Length], new float[x.Length]);
        RmsNormKernel.Apply(x, 7, scale, Epsilon, together);
        for (var row = 0; row < 7; row++)
        {
            RmsNormKernel.Apply(x.AsSpan(row * 37, 37), 1, scale, Epsilon, apart.AsSpan(row * 37));
        }

        Data.SameBits(together, apart);
    }

    [Fact]
    public void RmsNorm_with_short_or_partly_overlapping_spans_throws()
    {
        var (memory, scale) = (new float[200], new float[20]);
        Assert.Throws<ArgumentException>(() => RmsNormKernel.Apply(new float[39], 2, scale, Epsilon, new float[40]));
        Assert.Throws<ArgumentException>(() => RmsNormKernel.Apply(new float[40], 2, scale, Epsilon, new float[39]));
        Assert.Throws<ArgumentException>(() => RmsNormKernel.Apply(memory.AsSpan(0, 40), 2, scale, Epsilon, memory.AsSpan(20, 40)));
    }
}
