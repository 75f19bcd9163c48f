using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HeadCluster.Kernels.Tests.OneHash;

/// <summary>
/// A layer of three heads over prompts of several lengths, with and without causality; weights and prompts never change. Few
/// of the sizes are multiples of a vector, a tile or a block.
/// </summary>
internal static class LayerWorkload
{
    public const int ModelDim = 33, HeadCount = 3;

    public static IReadOnlyList<int> HeadDims { get; } = [1, 8, 16, 24, 64, 80, 128];

    /// <summary>The lengths of the prompts. Some head sizes have one that goes beyond a block of keys.</summary>
    public static int[] Lengths(int headDim) =>
        headDim is 16 or 80 ? [1, 2, 7, 11, 64, 129, AttentionKernel.BlockKeys + 44] : [1, 2, 7, 11, 64, 129];

    /// <summary>The hash of every size, each prompt as a whole, on one thread.</summary>
    public static SortedDictionary<string, string> Hashes()
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var headDim in HeadDims)
        {
            foreach (var causal in (bool[])[true, false])
            {
                hashes[Name(headDim, causal)] = Hash(headDim, x => Whole(Layer(headDim, causal), x));
            }
        }

        return hashes;
    }

    /// <summary>What a hash stands for.</summary>
    public static string Name(int headDim, bool causal) => $"{headDim} {(causal ? "causal" : "unmasked")}";

    /// <summary>The hash of what <paramref name="attend"/> makes of the prompts, which are <c>[length, ModelDim]</c>, one after the other.</summary>
    public static string Hash(int headDim, Func<float[], float[]> attend)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var length in Lengths(headDim))
        {
            hash.AppendData(MemoryMarshal.AsBytes(attend(Data.Noise(length, length * ModelDim)).AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static AttentionLayer Layer(int headDim, bool causal) => new(Heads(headDim, causal), OutputWeights(headDim));

    public static AttentionHead[] Heads(int headDim, bool causal)
    {
        var options = new AttentionOptions(AttentionOptions.DefaultScale(headDim), causal);
        return [.. Enumerable.Range(1, HeadCount).Select(head => new AttentionHead(
            new HeadShape(ModelDim, 1, headDim, headDim),
            options,
            Part(100 * head, ModelDim, headDim),
            Part((100 * head) + 10, ModelDim, headDim),
            Part((100 * head) + 20, ModelDim, headDim)))];
    }

    public static PackedMatrix OutputWeights(int headDim) =>
        PackedMatrix.Pack(HeadCount * headDim, Part(1, HeadCount * headDim, ModelDim));

    public static float[] Whole(AttentionLayer layer, float[] x)
    {
        var y = new float[x.Length];
        layer.Attend(x, x.Length / ModelDim, y);
        return y;
    }

    // Scores of about ±2: the softmax neither chooses one key nor is even.
    private static LinearPart Part(int seed, int inputs, int outputs) =>
        new(outputs, Data.Noise(seed, inputs * outputs, 0.5f), Data.Noise(seed + 1, outputs, 0.5f));
}
