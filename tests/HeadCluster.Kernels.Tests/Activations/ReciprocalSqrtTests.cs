namespace HeadCluster.Kernels.Tests.Activations;

public sealed class ReciprocalSqrtTests
{
    [Fact]
    public void Reciprocal_square_root_is_within_two_ulp_over_all_exponents()
    {
        // 64 values of each of the 255 finite exponents, denormals included.
        for (var i = 1; i < 255 * 64; i++)
        {
            var x = BitConverter.Int32BitsToSingle((i << 17) | (i * 40503 & 0x1FFFF));
            var expected = 1 / Math.Sqrt(x);
            var ulp = (double)MathF.BitIncrement((float)expected) - (float)expected;
            Assert.InRange(Math.Abs(Elementary.ReciprocalSqrt(x) - expected) / ulp, 0, 1.5);
        }
    }

    [Theory]
    [InlineData(0f, float.PositiveInfinity)]
    [InlineData(-0f, float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity, 0f)]
    [InlineData(-1f, float.NaN)]
    [InlineData(float.NaN, float.NaN)]
    public void Reciprocal_square_root_of_special_values_is_what_ieee_754_says(float x, float expected) =>
        Assert.Equal(expected, Elementary.ReciprocalSqrt(x));
}
