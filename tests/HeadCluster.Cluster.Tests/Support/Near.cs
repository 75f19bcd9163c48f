using System.Numerics;

namespace HeadCluster.Tests;

/// <summary>Equality to float32 rounding.</summary>
internal static class Near
{
    /// <summary>
    /// Largest difference allowed, absolute for values up to 1 and relative beyond: a hundred roundings of float32, which is
    /// what a few layers of sums of tens to hundreds of terms come to.
    /// </summary>
    public const double Tolerance = 1e-5;

    /// <summary>Asserts that two arrays are as long as each other and near everywhere.</summary>
    public static void All<T>(ReadOnlySpan<T> expected, ReadOnlySpan<float> actual, string what)
        where T : INumber<T>
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < actual.Length; i++)
        {
            var wanted = double.CreateChecked(expected[i]);
            var difference = Math.Abs(wanted - actual[i]);
            Assert.True(difference <= Tolerance * Math.Max(1, Math.Abs(wanted)), $"{what}[{i}] is {actual[i]:g9}, expected {wanted:g9}");
        }
    }

    /// <inheritdoc cref="All{T}(ReadOnlySpan{T}, ReadOnlySpan{float}, string)"/>
    public static void All<T>(T[] expected, ReadOnlySpan<float> actual, string what)
        where T : INumber<T> =>
        All((ReadOnlySpan<T>)expected, actual, what);
}
