using System.Runtime.InteropServices;

namespace HeadCluster.Kernels.Tests;

/// <summary>Inputs that are the same in every run, and what compares results bit by bit.</summary>
internal static class Data
{
    /// <summary>Values spread evenly over ±amplitude.</summary>
    public static float[] Noise(int seed, int length, float amplitude = 1) => NumericsFingerprint.Noise(seed, length, amplitude);

    /// <summary>Values that a format has, each near another value.</summary>
    public static float[] Of(WeightFormat format, float[] values) => format switch
    {
        WeightFormat.BFloat16 => Array.ConvertAll(values, value => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) & ~0xFFFF)),
        WeightFormat.Float16 => Array.ConvertAll(values, value => (float)(Half)value),
        _ => values,
    };

    /// <summary>The same values in double.</summary>
    public static double[] Widen(ReadOnlySpan<float> values)
    {
        var wide = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            wide[i] = values[i];
        }

        return wide;
    }

    /// <summary>Columns from <paramref name="first"/> on of a row-major matrix.</summary>
    public static float[] Columns(ReadOnlySpan<float> matrix, int columns, int first, int count)
    {
        var part = new float[matrix.Length / columns * count];
        for (var row = 0; row < matrix.Length / columns; row++)
        {
            matrix.Slice((row * columns) + first, count).CopyTo(part.AsSpan(row * count));
        }

        return part;
    }

    /// <summary>The transposed matrix, <c>[columns, rows]</c>.</summary>
    public static float[] Transpose(ReadOnlySpan<float> matrix, int columns)
    {
        var rows = matrix.Length / columns;
        var transposed = new float[matrix.Length];
        for (var i = 0; i < matrix.Length; i++)
        {
            transposed[(i % columns * rows) + (i / columns)] = matrix[i];
        }

        return transposed;
    }

    /// <summary>Fails where one bit differs; a zero's sign and NaN's payload count.</summary>
    public static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        if (!MemoryMarshal.Cast<float, int>(expected).SequenceEqual(MemoryMarshal.Cast<float, int>(actual)))
        {
            var at = MemoryMarshal.Cast<float, int>(expected).CommonPrefixLength(MemoryMarshal.Cast<float, int>(actual));
            Assert.Fail($"bits differ from [{at}] on, of {expected.Length} and {actual.Length}");
        }
    }
}
