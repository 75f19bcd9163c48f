namespace HeadCluster.Tests.Tensors;

public sealed class FloatTensorTests
{
    [Theory]
    [InlineData(6, new[] { 2, 3 })]
    [InlineData(1, new int[0])]
    [InlineData(0, new[] { 0, 7 })]
    public void A_shape_that_the_elements_fill_is_taken(int elements, int[] shape) =>
        Assert.Equal(shape, new FloatTensor(new float[elements], shape).Shape);

    [Theory]
    [InlineData(6, new[] { 2, 2 })]
    [InlineData(1, new[] { -1, -1 })]
    [InlineData(1, new[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 })]
    [InlineData(0, new[] { 65536, 65536 })]
    public void A_shape_that_the_elements_do_not_fill_is_refused(int elements, int[] shape)
    {
        var error = Assert.Throws<ArgumentException>(() => new FloatTensor(new float[elements], shape));
        Assert.Contains(FloatTensor.Describe(shape), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_says_its_shape() => Assert.Equal("float32[2, 3]", new FloatTensor(new float[6], 2, 3).ToString());

    [Fact]
    public void A_tensor_larger_than_a_message_is_refused()
    {
        var error = Assert.Throws<HeadClusterException>(() => WireLimits.Check(new FloatTensor(new float[64 << 20], 64, 1 << 20)));
        Assert.Contains("send fewer rows", error.Message, StringComparison.Ordinal);
    }
}
