namespace HeadCluster.Kernels.Tests.Linear;

public sealed class ResidualKernelTests
{
    [Fact]
    public void Residual_of_any_length_adds_each_element_and_stays_within_its_span()
    {
        for (var length = 0; length <= 256; length++)
        {
            var (x, y) = (Data.Noise(1, length), Data.Noise(2, length));
            using Guarded added = new(y), sum = new(x);
            ResidualKernel.Add(added.Span, sum.Span);
            Data.SameBits([.. x.Zip(y, (a, b) => a + b)], sum.Span);
            sum.Check();
        }
    }

    [Fact]
    public void Residual_of_a_span_with_itself_doubles_it()
    {
        for (var length = 0; length <= 256; length++)
        {
            using Guarded x = new(Data.Noise(1, length));
            ResidualKernel.Add(x.Span, x.Span);
            Data.SameBits([.. Data.Noise(1, length).Select(value => value * 2)], x.Span);
            x.Check();
        }
    }

    [Fact]
    public void Residual_of_other_lengths_or_a_partial_overlap_throws()
    {
        var memory = new float[20];
        Assert.Throws<ArgumentException>(() => ResidualKernel.Add(memory.AsSpan(0, 5), new float[6]));
        Assert.Throws<ArgumentException>(() => ResidualKernel.Add(memory.AsSpan(0, 9), memory.AsSpan(1, 9)));
        Assert.Throws<ArgumentException>(() => ResidualKernel.Add(memory.AsSpan(1, 9), memory.AsSpan(0, 9)));
    }
}
