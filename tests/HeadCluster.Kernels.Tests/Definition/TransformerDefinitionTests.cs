using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Definition;

public sealed class TransformerDefinitionTests
{
    // Abramowitz and Stegun, table 7.1.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.1, 0.1124629160)]
    [InlineData(0.5, 0.5204998778)]
    [InlineData(1, 0.8427007929)]
    [InlineData(1.5, 0.9661051465)]
    [InlineData(2, 0.9953222650)]
    public void Erf_has_the_values_of_the_table(double x, double erf)
    {
        Assert.Equal(erf, TransformerDefinition.Erf(x), 1e-10);
        Assert.Equal(-erf, TransformerDefinition.Erf(-x), 1e-10);
    }

    [Fact]
    public void Erf_series_and_continued_fraction_meet_where_one_takes_over()
    {
        // The slope there is 2/√π e^(−6.25) = 0.0022.
        var (below, above) = (TransformerDefinition.Erf(2.5 - 1e-12), TransformerDefinition.Erf(2.5 + 1e-12));
        Assert.InRange(above - below, 0, 1e-14);
        Assert.Equal(0.999593047982555, above, 1e-14);
    }

    [Fact]
    public void Erf_of_infinity_is_1_and_of_NaN_is_NaN()
    {
        Assert.Equal(1, TransformerDefinition.Erf(double.PositiveInfinity));
        Assert.Equal(-1, TransformerDefinition.Erf(double.NegativeInfinity));
        Assert.Equal(double.NaN, TransformerDefinition.Erf(double.NaN));
    }

    [Fact]
    public void Gelu_differs_from_its_mirror_image_by_x()
    {
        for (var x = 0.0; x < 8; x += 0.37)
        {
            Assert.Equal(x, TransformerDefinition.GeluErf(x) - TransformerDefinition.GeluErf(-x), 1e-12);
            Assert.Equal(x, TransformerDefinition.GeluTanh(x) - TransformerDefinition.GeluTanh(-x), 1e-12);
        }

        Assert.Equal(0.8413447461, TransformerDefinition.GeluErf(1.0), 1e-10);
        Assert.Equal(0.8411919906, TransformerDefinition.GeluTanh(1.0), 1e-10);
    }

    [Fact]
    public void LayerNorm_of_a_small_example_is_what_the_hand_computes()
    {
        // Mean 3 and variance 4 of [1, 5]: the normal values are −1 and 1, with ε = 4 they are −1/√2 and 1/√2.
        Assert.Equal([8.0, 23.0], TransformerDefinition.LayerNorm<double>([1, 5], [2, 3], [10, 20], 0));
        var widened = TransformerDefinition.LayerNorm<double>([1, 5], [Math.Sqrt(2), Math.Sqrt(2)], [], 4);
        Assert.Equal([-1.0, 1.0], widened.Select(y => Math.Round(y, 12)));
    }
}
