using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels.Tests.Simd;

public sealed class LanesTests
{
    [Fact]
    public void SumTree_adds_in_its_fixed_order()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var x = Data.Noise(seed, 16, 1000);
            var sums = x;
            for (var half = 8; half > 0; half /= 2)
            {
                sums = [.. Enumerable.Range(0, half).Select(i => sums[i] + sums[i + half])];
            }

            Data.SameBits(sums, [Lanes.SumTree(Vector512.Create(x))]);
        }
    }

    [Fact]
    public void Max_is_the_largest_lane_wherever_it_is_and_NaN_if_any_lane_is()
    {
        for (var lane = 0; lane < Lanes.Count; lane++)
        {
            Assert.Equal(3, Lanes.Max(Vector512.Create(-2f).WithElement(lane, 3)));
            Assert.Equal(float.NaN, Lanes.Max(Vector512.Create(-2f).WithElement(lane, float.NaN)));
        }
    }

    [Fact]
    public void MaxOfNumbers_and_MinOfNumbers_find_their_lane_wherever_it_is()
    {
        for (var lane = 0; lane < Lanes.Count; lane++)
        {
            Assert.Equal(3, Lanes.MaxOfNumbers(Vector512.Create(-2f).WithElement(lane, 3)));
            Assert.Equal(-3, Lanes.MinOfNumbers(Vector512.Create(2f).WithElement(lane, -3)));
        }
    }

    [Fact]
    public void Load_and_store_of_a_partial_vector_keep_to_its_elements()
    {
        for (var length = 0; length <= Lanes.Count; length++)
        {
            using Guarded source = new(Data.Noise(length, length)), destination = new(length);
            var loaded = Lanes.Load(source.Span, 0, fill: 5);
            Lanes.Store(loaded, destination.Span, 0);
            Data.SameBits(source.Span, destination.Span);
            destination.Check();
            Assert.Equal(Lanes.Count - length, Vector512.CountWhereAllBitsSet(Vector512.Equals(loaded, Vector512.Create(5f))));
        }
    }

    [Fact]
    public void IndexOf_non_finite_finds_the_first_of_any_position()
    {
        for (var length = 0; length < 40; length++)
        {
            var values = Data.Noise(length, length, float.MaxValue);
            Assert.Equal(-1, NonFinite.IndexOf(values));
            for (var i = length - 1; i >= 0; i--)
            {
                values[i] = (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity };
                Assert.Equal(i, NonFinite.IndexOf(values));
            }
        }
    }
}
