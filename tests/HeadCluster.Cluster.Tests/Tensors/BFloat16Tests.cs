using CsCheck;

namespace HeadCluster.Tests.Tensors;

public sealed class BFloat16Tests
{
    // All bits, so that NaNs, infinities and subnormal numbers are among them, in any number, so that there are tails.
    private static readonly Gen<float[]> AnyElements = Gen.Int.Select(BitConverter.Int32BitsToSingle).Array[0, 100];

    [Fact]
    public void Rounding_gives_the_nearest_of_the_two_neighbours_and_of_equal_ones_the_even() => AnyElements.Sample(elements =>
    {
        foreach (var (element, rounded) in elements.Zip(Round(elements)))
        {
            // Its neighbours: the bits that are kept as they are, and one more.
            var toZero = Value(Bits(element) & 0xFFFF_0000);
            var away = Value((Bits(element) & 0xFFFF_0000) + 0x1_0000);
            if (float.IsNaN(element))
            {
                Assert.True(float.IsNaN(rounded));
            }
            else if (float.IsInfinity(element))
            {
                Assert.Equal(element, rounded);
            }
            else if (float.IsInfinity(away))
            {
                // Half a step above the largest is nearer to twice the largest power of two than to the largest.
                Assert.Equal(Math.Abs((double)element) < 1.9921875 * Math.Pow(2, 127) + Math.Pow(2, 119) ? toZero : away, rounded);
            }
            else
            {
                var (below, above) = (Math.Abs((double)element - toZero), Math.Abs((double)away - element));
                Assert.Equal(Bits(below < above || (below == above && (Bits(toZero) & 0x1_0000) == 0) ? toZero : away), Bits(rounded));
                Assert.True(!float.IsNormal(element) || Math.Abs((double)rounded - element) <= Math.Abs((double)element) / 256);
            }
        }
    });

    [Fact]
    public void Rounding_twice_changes_nothing_and_halves_come_back_with_all_bits() => AnyElements.Sample(elements =>
    {
        var rounded = Round(elements);
        Assert.Equal(rounded.Select(Bits), Round(rounded).Select(Bits));

        var halves = new ushort[rounded.Length];
        BFloat16.Narrow(rounded, halves);
        var back = new float[rounded.Length];
        BFloat16.Widen(halves, back);
        Assert.Equal(rounded.Select(Bits), back.Select(Bits));
    });

    private static float[] Round(float[] elements)
    {
        var rounded = new float[elements.Length];
        BFloat16.Round(elements, rounded);
        return rounded;
    }

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static float Value(uint bits) => BitConverter.UInt32BitsToSingle(bits);
}
