namespace HeadCluster.Models.Tests;

public class FloatConversionTests
{
    [Fact]
    public void Every_half_becomes_the_number_that_its_fields_define() => AssertEvery(TensorType.F16, exponentBits: 5, fractionBits: 10);

    [Fact]
    public void Every_bfloat16_becomes_the_number_that_its_fields_define() => AssertEvery(TensorType.BF16, exponentBits: 8, fractionBits: 7);

    [Fact]
    public void Every_kind_of_float32_keeps_its_bits()
    {
        float[] values = [0, -0f, 1, float.Epsilon, -float.MaxValue, float.PositiveInfinity, BitConverter.UInt32BitsToSingle(0x7FC12345)];
        var read = new float[values.Length];
        FloatConversion.Convert(TensorType.F32, values.SelectMany(BitConverter.GetBytes).ToArray(), read);
        Assert.Equal(values.Select(BitConverter.SingleToUInt32Bits), read.Select(BitConverter.SingleToUInt32Bits));
    }

    private static void AssertEvery(TensorType type, int exponentBits, int fractionBits)
    {
        var bytes = Enumerable.Range(0, 1 << 16).SelectMany(bits => (byte[])[(byte)bits, (byte)(bits >> 8)]).ToArray();
        var read = new float[1 << 16];
        FloatConversion.Convert(type, bytes, read);
        for (var bits = 0; bits < read.Length; bits++)
        {
            var expected = Decode(bits, exponentBits, fractionBits);
            Assert.Equal(expected, read[bits]);
            Assert.True(double.IsNaN(expected) || double.IsNegative(expected) == float.IsNegative(read[bits]), $"sign of {bits:X4}");
        }
    }

    /// <summary>IEEE 754: (−1)^sign · 2^(exponent − bias) · 1.fraction, or 0.fraction at the least exponent.</summary>
    private static double Decode(int bits, int exponentBits, int fractionBits)
    {
        var sign = (bits >> 15) == 0 ? 1.0 : -1.0;
        var exponent = (bits >> fractionBits) & ((1 << exponentBits) - 1);
        var fraction = (bits & ((1 << fractionBits) - 1)) / (double)(1 << fractionBits);
        var bias = (1 << (exponentBits - 1)) - 1;
        if (exponent == (1 << exponentBits) - 1)
        {
            return fraction == 0 ? sign * double.PositiveInfinity : double.NaN;
        }

        return sign * (exponent == 0 ? Math.ScaleB(fraction, 1 - bias) : Math.ScaleB(1 + fraction, exponent - bias));
    }
}
