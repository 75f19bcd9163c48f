using CsCheck;
using HeadCluster.Grains;

namespace HeadCluster.Tests.Diagnostics;

public sealed class DurationHistogramTests
{
    // From a tick to an hour, evenly on a logarithmic scale, and none at all.
    private static readonly Gen<long> Ticks = Gen.OneOf(Gen.Const(0L), Gen.Double[0, 35].Select(power => (long)Math.Pow(2, power)));

    [Fact]
    public void Quantiles_are_those_of_the_sorted_durations_to_the_stated_error()
    {
        Gen.Select(Ticks.Array[1, 300], Gen.Double[0.001, 1]).Sample((ticks, share) =>
        {
            var histogram = new DurationHistogram();
            foreach (var duration in ticks)
            {
                histogram.Add(TimeSpan.FromTicks(duration));
            }

            var exact = ticks.Order().ElementAt((int)Math.Ceiling(share * ticks.Length) - 1);
            var error = Math.Abs(histogram.Quantile(share).Ticks - exact);
            return error <= exact * DurationHistogram.RelativeError
                && histogram.Count == ticks.Length
                && histogram.Max.Ticks == ticks.Max();
        });
    }

    [Fact]
    public void Durations_out_of_range_count_at_its_ends()
    {
        var histogram = new DurationHistogram();
        Assert.Equal(TimeSpan.Zero, histogram.Quantile(0.5));

        histogram.Add(TimeSpan.FromTicks(-1));
        Assert.Equal(TimeSpan.Zero, histogram.Quantile(1));

        histogram.Add(TimeSpan.FromDays(1000));
        Assert.InRange(histogram.Quantile(1), TimeSpan.FromHours(1.8), TimeSpan.FromHours(2));
        Assert.Equal(TimeSpan.FromDays(1000), histogram.Max);
    }
}
