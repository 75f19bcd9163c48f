namespace HeadCluster.Kernels.Tests.Linear;

public sealed class PackedMatrixTests
{
    /// <summary>Projections of one head, of grouped heads, of a whole layer, and feed-forward layers, from nano to large.</summary>
    public static TheoryData<int, int> Shapes => new()
    {
        { 48, 16 }, { 48, 48 }, { 48, 144 }, { 48, 192 }, { 192, 48 }, { 288, 96 }, { 768, 64 }, { 768, 192 }, { 768, 240 }, { 768, 768 },
        { 768, 3072 }, { 2048, 192 }, { 2048, 2048 }, { 80, 33 }, { 768, 50257 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Packed_weights_take_little_more_than_plain_ones_and_half_of_it_in_16_bits(int inputs, int outputs)
    {
        var (weights, bias) = ((long)inputs * outputs, (long)sizeof(float) * outputs);
        Assert.InRange(PackedMatrix.SizeOf(inputs, outputs, WeightFormat.Float32), (4 * weights) + bias, ((4 * weights) + bias) * 1.05);
        Assert.InRange(PackedMatrix.SizeOf(inputs, outputs, WeightFormat.BFloat16), (2 * weights) + bias, ((2 * weights) + bias) * 1.05);
        Assert.Equal(PackedMatrix.SizeOf(inputs, outputs, WeightFormat.BFloat16), PackedMatrix.SizeOf(inputs, outputs, WeightFormat.Float16));
    }

    [Theory]
    [InlineData(WeightFormat.Float32)]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Float16)]
    public void Packing_allocates_the_stated_bytes_and_no_second_copy(WeightFormat format)
    {
        LinearPart part = new(240, new float[768 * 240], new float[240], format);
        var packed = PackedMatrix.Pack(768, part);
        var allocated = Allocated.By(() => PackedMatrix.Pack(768, part));

        // Beside them the objects' own fields.
        Assert.InRange(allocated, packed.Bytes, packed.Bytes + 200);
        Assert.Equal(PackedMatrix.SizeOf(768, 240, format), packed.Bytes);
    }
}
