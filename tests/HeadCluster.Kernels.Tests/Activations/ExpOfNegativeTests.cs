using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels.Tests.Activations;

/// <summary>Four vectors at once have the bits of each alone, on the short way and on the long one.</summary>
public sealed class ExpOfNegativeTests
{
    // Around the bound of the short way, where results become denormal, where they become 0, and what is no number.
    private static readonly float[] Special =
    [
        0f, -0f, -float.Epsilon, -1e-30f, -86.99999f, -87f, -87.00001f, -87.33654f, -87.4f, -95f, -103.2f, -103.97f, -104f, -105f, -1e6f,
        -float.MaxValue, float.NegativeInfinity, float.NaN, BitConverter.Int32BitsToSingle(0x7FC01234), -float.NaN,
    ];

    [Fact]
    public void Quad_of_any_arguments_between_the_bound_and_0_has_the_bits_of_Exp()
    {
        // A prime step meets every exponent with ever other digits.
        var bits = BitConverter.SingleToUInt32Bits(-0f);
        var last = BitConverter.SingleToUInt32Bits(-87f);
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

    [Fact]
    public void Quad_with_one_special_element_anywhere_has_the_bits_of_Exp()
    {
        foreach (var special in Special)
        {
            for (var at = 0; at < Quad.Count; at++)
            {
                var x = Data.Noise(at, Quad.Count, 40).Select(value => value - 41).ToArray();
                x[at] = special;
                HasTheBitsOfExp(x);
            }
        }
    }

    [Fact]
    public void Quad_of_special_elements_only_has_the_bits_of_Exp()
    {
        foreach (var special in Special)
        {
            HasTheBitsOfExp([.. Enumerable.Repeat(special, Quad.Count)]);
        }

        for (var shift = 0; shift < Special.Length; shift++)
        {
            HasTheBitsOfExp([.. Enumerable.Range(shift, Quad.Count).Select(i => Special[i % Special.Length])]);
        }
    }

    // A positive argument is no use to a softmax, but where the largest score is NaN nothing says that there is none.
    [Fact]
    public void Quad_of_arguments_of_both_signs_beyond_the_bound_has_the_bits_of_Exp()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            HasTheBitsOfExp([.. Data.Noise(seed, Quad.Count - 1, 130), -88f]);
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
