using HeadCluster.Kernels.Definition;

namespace HeadCluster.Kernels.Tests.Activations;

public sealed class GeluKernelTests
{
    private delegate void Kernel(ReadOnlySpan<float> x, Span<float> y);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gelu_of_any_length_equals_its_definition_and_stays_within_its_span(bool tanh)
    {
        for (var length = 0; length <= 256; length++)
        {
            var x = Data.Noise(length, length, 6);
            using Guarded source = new(x), destination = new(length), inPlace = new(x);
            Form(tanh)(source.Span, destination.Span);
            Form(tanh)(inPlace.Span, inPlace.Span);

            var wide = Data.Widen(x);
            double[] expected = [.. tanh ? wide.Select(TransformerDefinition.GeluTanh) : wide.Select(TransformerDefinition.GeluErf)];
            Tolerance.Function.Check(expected, destination.Span);
            Data.SameBits(destination.Span, inPlace.Span);
            destination.Check();
            inPlace.Check();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gelu_of_special_values_is_its_limit_or_NaN(bool tanh)
    {
        var y = new float[5];
        Form(tanh)([0f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e30f], y);
        Assert.Equal([0f, float.PositiveInfinity, float.NaN, float.NaN, 1e30f], y);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gelu_into_a_short_or_partly_overlapping_span_throws(bool tanh)
    {
        var memory = new float[100];
        Assert.Throws<ArgumentException>(() => Form(tanh)(memory.AsSpan(0, 17), new float[16]));
        Assert.Throws<ArgumentException>(() => Form(tanh)(memory.AsSpan(0, 50), memory.AsSpan(1, 50)));
        Assert.Throws<ArgumentException>(() => Form(tanh)(memory.AsSpan(1, 50), memory.AsSpan(0, 50)));
    }

    private static Kernel Form(bool tanh) => tanh ? GeluKernel.ApplyTanh : GeluKernel.ApplyErf;
}
