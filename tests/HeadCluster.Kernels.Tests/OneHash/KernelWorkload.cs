using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HeadCluster.Kernels.Tests.OneHash;

/// <summary>
/// Calls of kernels that take ways of their own and that neither <see cref="LayerWorkload"/> nor <see cref="NumericsFingerprint"/> makes: plain
/// attention of a row alone and of more rows than a tile has, products with weights of 16 bits through several panels. Their inputs never change.
/// </summary>
internal static class KernelWorkload
{
    private const int Inputs = 37, Outputs = 300, HeadDim = 21, ValueDim = 83, Keys = AttentionKernel.BlockKeys + 44;

    /// <summary>The hash of each call's result.</summary>
    public static SortedDictionary<string, string> Hashes()
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var rows in (int[])[1, AttentionTile.MaxRows + 1])
        {
            hashes[$"attention, rows {rows}"] = Hash(Attend(rows));
        }

        foreach (var format in (WeightFormat[])[WeightFormat.Float32, WeightFormat.BFloat16, WeightFormat.Float16])
        {
            foreach (var rows in (int[])[1, 9])
            {
                hashes[$"product of {format}, rows {rows}"] = Hash(Multiply(format, rows));
            }
        }

        return hashes;
    }

    private static float[] Attend(int rows)
    {
        using var cache = new KvCache(HeadDim, ValueDim, Keys);
        cache.Append(Data.Noise(1, Keys * HeadDim), HeadDim, Data.Noise(2, Keys * ValueDim), ValueDim, Keys);
        var output = new float[rows * ValueDim];
        AttentionKernel.Attend(
            Data.Noise(3, rows * HeadDim), HeadDim, rows, 0, cache, new AttentionOptions(0.7f), AttentionMask.None, output, ValueDim);
        return output;
    }

    private static float[] Multiply(WeightFormat format, int rows)
    {
        LinearPart part = new(Outputs, Data.Of(format, Data.Noise(4, Inputs * Outputs)), Data.Noise(5, Outputs), format);
        var y = new float[rows * Outputs];
        LinearKernel.Apply(Data.Noise(6, rows * Inputs), rows, PackedMatrix.Pack(Inputs, part), y);
        return y;
    }

    private static string Hash(float[] values) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())));
}
