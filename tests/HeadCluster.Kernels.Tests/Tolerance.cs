namespace HeadCluster.Kernels.Tests;

/// <summary>How far a float32 result may be from its value in double: |actual − expected| ≤ Absolute + Relative · |expected|.</summary>
internal readonly record struct Tolerance(double Absolute, double Relative)
{
    /// <summary>Sums of some hundred products of values up to 1: each step rounds by 6e-8 of a partial sum of about 10.</summary>
    public static readonly Tolerance Sum = new(1e-5, 1e-5);

    /// <summary>One function of a value or a few operations: a handful of roundings of 6e-8.</summary>
    public static readonly Tolerance Function = new(5e-7, 5e-7);

    /// <summary>What others recorded in float32, each with its own order of summation.</summary>
    public static readonly Tolerance Recorded = new(1e-5, 1e-5);

    /// <summary>What others recorded in float16: its rounding is 5e-4, and it was rounded between the passes.</summary>
    public static readonly Tolerance RecordedHalf = new(5e-3, 5e-3);

    /// <summary>Fails where an element is further from its expected value; infinities and NaN must be the same.</summary>
    public void Check(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var (e, a) = (expected[i], (double)actual[i]);
            var near = double.IsFinite(e) ? Math.Abs(a - e) <= Absolute + (Relative * Math.Abs(e)) : a.Equals(e);
            Assert.True(near, $"[{i}] is {a:R}, expected {e:R}");
        }
    }

    /// <inheritdoc cref="Check(ReadOnlySpan{double}, ReadOnlySpan{float})"/>
    public void Check(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) => Check(Data.Widen(expected), actual);
}
