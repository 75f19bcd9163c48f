using System.Runtime.Intrinsics;
using HeadCluster.Kernels.Tests.Attention;

namespace HeadCluster.Kernels.Tests.Activations;

/// <summary>The exponential of a softmax: its error, its ends, and that four vectors at once, or half of one, have the bits of each alone.</summary>
public sealed class ExpOfNegativeTests
{
    [Fact]
    public void Any_argument_from_the_least_to_0_gives_the_bits_in_a_quad_that_it_gives_alone()
    {
        // With zeros behind, so that whole quads hold all arguments.
        float[] x = [.. Arguments(Elementary.LeastOfNegative), .. new float[Quad.Count]];
        var results = new float[Quad.Count];
        for (var i = 0; i <= x.Length - Quad.Count; i += Quad.Count)
        {
            Elementary.ExpOfNegative(Quad.Load(ref x[0], (nuint)i)).Store(ref results[0], 0);
            Data.SameBits([.. x.AsSpan(i, Quad.Count).ToArray().Select(Alone)], results);
        }
    }

    [Fact]
    public void Any_argument_from_the_least_to_0_gives_the_bits_in_half_a_vector_that_it_gives_alone()
    {
        var half = Vector256<float>.Count;
        float[] x = [.. Arguments(Elementary.LeastOfNegative), .. new float[half]];
        var results = new float[half];
        for (var i = 0; i <= x.Length - half; i += half)
        {
            Elementary.ExpOfNegative(Vector256.LoadUnsafe(ref x[0], (nuint)i)).StoreUnsafe(ref results[0]);
            Data.SameBits([.. x.AsSpan(i, half).ToArray().Select(Alone)], results);
        }
    }

    [Fact]
    public void Any_argument_is_within_the_stated_error()
    {
        foreach (var x in Arguments(-104))
        {
            var expected = Math.Exp(x);
            Assert.True(Math.Abs(Alone(x) - expected) <= 0.90 * ElementaryTests.Ulp(expected), $"exp({x:R}) is {Alone(x):R} instead of {expected:R}");
        }
    }

    [Fact]
    public void Any_argument_has_the_bits_of_the_contract() => Assert.All(
        Arguments(-200), x => Assert.Equal(BitConverter.SingleToInt32Bits(AttentionContract.Exp(x)), BitConverter.SingleToInt32Bits(Alone(x))));

    [Fact]
    public void Of_neighbouring_arguments_the_larger_has_no_smaller_result_but_by_one_ulp_and_none_is_above_1()
    {
        // Runs of neighbours from −0 down, all along the floats.
        for (var start = BitConverter.SingleToUInt32Bits(-0f); start < BitConverter.SingleToUInt32Bits(-104); start += 2_000_003)
        {
            var above = 1f;
            for (var bits = start; bits < start + 300; bits++)
            {
                var result = Alone(BitConverter.UInt32BitsToSingle(bits));
                Assert.InRange(result, 0, bits == start ? 1 : MathF.BitIncrement(above));
                Assert.InRange(result, 0, 1);
                above = result;
            }
        }
    }

    [Fact]
    public void Lane_does_not_depend_on_the_other_lanes() =>
        ElementaryTests.LanesAreApart(Elementary.ExpOfNegative, Data.Noise(2, 50, 50).Select(value => -Math.Abs(value)));

    [Fact]
    public void Ends_are_1_and_0_and_no_number_stays_none()
    {
        Assert.Equal(1, Alone(0));
        Assert.Equal(1, Alone(-0f));
        Assert.Equal(float.Epsilon, Alone(-103.5f));
        Assert.All((float[])[-104, -1000, -float.MaxValue, float.NegativeInfinity], x => Assert.Equal(0, BitConverter.SingleToInt32Bits(Alone(x))));
        Assert.Equal(float.NaN, Alone(float.NaN));
    }

    // From −0 down; a prime step meets every exponent with ever other digits.
    private static IEnumerable<float> Arguments(float last)
    {
        for (var bits = BitConverter.SingleToUInt32Bits(-0f); bits < BitConverter.SingleToUInt32Bits(last); bits += 6073)
        {
            yield return BitConverter.UInt32BitsToSingle(bits);
        }

        yield return last;
    }

    private static float Alone(float x) => Elementary.ExpOfNegative(Vector512.Create(x))[0];
}
