using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels.Tests.Activations;

/// <summary>Four vectors at once have the bits of each alone.</summary>
public sealed class ExpOfNegativeTests
{
    [Fact]
    public void Quad_of_any_arguments_from_the_least_to_0_has_the_bits_of_Exp()
    {
        // A prime step meets every exponent with ever other digits.
        var bits = BitConverter.SingleToUInt32Bits(-0f);
        var last = BitConverter.SingleToUInt32Bits(Elementary.LeastOfNegative);
        var x = new float[Quad.Count];
        while (bits <= last)
        {
            for (var i = 0; i < x.Length; i++)
            {
                x[i] = BitConverter.UInt32BitsToSingle(Math.Min(bits, last));
                bits += 6073;
            }

            HasTheBitsOfExp(x);
        }
    }

    private static void HasTheBitsOfExp(float[] x)
    {
        var result = new float[Quad.Count];
        Elementary.ExpOfNegative(Quad.Load(ref x[0], 0)).Store(ref result[0], 0);
        for (var i = 0; i < x.Length; i++)
        {
            var expected = Elementary.Exp(Vector512.Create(x[i]))[0];
            Assert.True(
                BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(result[i]),
                $"[{i}]: exp({x[i]:R}) is {result[i]:R}, alone {expected:R}");
        }
    }
}
