namespace HeadCluster.Kernels.Tests.Linear;

public sealed class ResidualKernelTests
{
    [Fact]
    public void Residual_of_any_length_adds_each_element_and_stays_within_its_span()
    {
        for (var length = 0; length <= 100; length++)
        {
            var (x, y) = (Data.Noise(1, length), Data.Noise(2, length));
            var sum = new Guarded(x);
            ResidualKernel.Add(new Guarded(y).Span, sum.Span);
            Data.SameBits([.. x.Zip(y, (a, b) => a + b)], sum.Span);
            sum.Check();
        }
    }

    [Fact]
    public void Residual_of_other_lengths_or_a_partial_overlap_throws()
    {
        var memory = new float[20];
        Assert.Throws<ArgumentException>(() => ResidualKernel.Add(memory.AsSpan(0, 5), new float[6]));
        Assert.Throws<ArgumentException>(() => ResidualKernel.Add(memory.AsSpan(0, 9), memory.AsSpan(1, 9)));
    }
}
