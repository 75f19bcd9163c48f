using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels.Tests.Activations;

/// <summary>The exponential of a softmax: its error, its ends, and that four vectors at once have the bits of each alone.</summary>
public sealed class ExpOfNegativeTests
{
    [Fact]
    public void Any_argument_from_the_least_to_0_gives_the_bits_in_a_quad_that_it_gives_alone()
    {
        foreach (var x in Arguments(Elementary.LeastOfNegative).Chunk(Quad.Count))
        {
            var (padded, result) = (new float[Quad.Count], new float[Quad.Count]);
            x.CopyTo(padded, 0);
            Elementary.ExpOfNegative(Quad.Load(ref padded[0], 0)).Store(ref result[0], 0);
            for (var i = 0; i < x.Length; i++)
            {
                Assert.True(
                    BitConverter.SingleToInt32Bits(Alone(x[i])) == BitConverter.SingleToInt32Bits(result[i]),
                    $"[{i}]: exp({x[i]:R}) is {result[i]:R}, alone {Alone(x[i]):R}");
            }
        }
    }

    [Fact]
    public void Any_argument_is_within_the_stated_error()
    {
        foreach (var x in Arguments(-104))
        {
            var expected = Math.Exp(x);
            var ulp = Math.ScaleB(1, Math.Max(Math.ILogB(expected) - 23, -149));
            Assert.True(Math.Abs(Alone(x) - expected) <= 0.90 * ulp, $"exp({x:R}) is {Alone(x):R} instead of {expected:R}");
        }
    }

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
