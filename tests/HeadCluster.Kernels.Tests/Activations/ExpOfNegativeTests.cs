using System.Runtime.Intrinsics;
using HeadCluster.Kernels.Tests.Attention;

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
    public void Lane_does_not_depend_on_the_other_lanes()
    {
        float[] others = [float.NaN, float.NegativeInfinity, -0f, -float.Epsilon, -1e30f, -95];
        foreach (var x in Data.Noise(2, 50, 50).Select(value => -Math.Abs(value)))
        {
            for (var lane = 0; lane < Lanes.Count; lane++)
            {
                var lanes = Vector512.Create(others[lane % others.Length]).WithElement(lane, x).WithElement((lane + 1) % Lanes.Count, float.NaN);
                Assert.Equal(Alone(x), Elementary.ExpOfNegative(lanes)[lane]);
            }
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
