using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Attention;

public sealed class SoftmaxKernelTests
{
    [Fact]
    public void Softmax_of_any_length_equals_its_definition_and_stays_within_its_span()
    {
        for (var length = 0; length <= 256; length++)
        {
            var x = Data.Noise(length, length, 8);
            using Guarded source = new(x), destination = new(length), inPlace = new(x);
            SoftmaxKernel.Apply(source.Span, destination.Span);
            SoftmaxKernel.Apply(inPlace.Span, inPlace.Span);

            Tolerance.Function.Check(AttentionDefinition.Pattern<double>(Data.Widen(x), 1, length), destination.Span);
            Data.SameBits(destination.Span, inPlace.Span);
            destination.Check();
            inPlace.Check();
        }
    }

    [Fact]
    public void Softmax_of_scores_of_1000_neither_overflows_nor_loses_their_order()
    {
        var y = new float[4];
        SoftmaxKernel.Apply([1000, -1000, 1000, 999], y);
        Tolerance.Function.Check(AttentionDefinition.Pattern<double>([1000, -1000, 1000, 999], 1, 4), y);
    }

    [Fact]
    public void Softmax_of_one_element_is_1()
    {
        var y = new float[1];
        foreach (var score in (float[])[0, -0f, 1000, -1000, float.MaxValue, -float.MaxValue, float.Epsilon])
        {
            SoftmaxKernel.Apply([score], y);
            Assert.Equal(1, y[0]);
        }
    }

    [Fact]
    public void Softmax_of_masked_scores_is_zero_there_and_zeros_where_all_are()
    {
        var y = new float[3];
        SoftmaxKernel.Apply([float.NegativeInfinity, 5, float.NegativeInfinity], y);
        Assert.Equal([0f, 1f, 0f], y);
        SoftmaxKernel.Apply([float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity], y);
        Assert.Equal([0f, 0f, 0f], y);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Softmax_with_NaN_or_infinity_is_NaN_throughout(float value)
    {
        var x = Data.Noise(1, 40);
        x[33] = value;
        var y = new float[40];
        SoftmaxKernel.Apply(x, y);
        Assert.True(float.IsNaN(y[33]));
        Assert.True(value > 0 || y.All(float.IsNaN));
    }

    [Fact]
    public void Softmax_into_a_short_or_partly_overlapping_span_throws()
    {
        var memory = new float[100];
        Assert.Throws<ArgumentException>(() => SoftmaxKernel.Apply(memory.AsSpan(0, 17), new float[16]));
        Assert.Throws<ArgumentException>(() => SoftmaxKernel.Apply(memory.AsSpan(0, 50), memory.AsSpan(1, 50)));
        Assert.Throws<ArgumentException>(() => SoftmaxKernel.Apply(memory.AsSpan(1, 50), memory.AsSpan(0, 50)));
    }
}
