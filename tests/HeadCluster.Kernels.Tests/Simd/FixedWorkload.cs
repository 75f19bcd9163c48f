using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace HeadCluster.Kernels.Tests.Simd;

/// <summary>Every kernel once over inputs that never change.</summary>
internal static class FixedWorkload
{
    /// <summary>Hash of all results' bits.</summary>
    public static string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(ReadOnlySpan<float> values) => hash.AppendData(MemoryMarshal.AsBytes(values));

        Add(Attend(softcap: 0));
        Add(Attend(softcap: 5));
        var y = new float[11 * 70];
        LinearKernel.Apply(Data.Noise(1, 11 * 33), 11, PackedMatrix.Pack(33, new LinearPart(70, Data.Noise(2, 33 * 70), Data.Noise(3, 70))), y);
        Add(y);
        LayerNormKernel.Apply(y, 11, Data.Noise(4, 70), Data.Noise(5, 70), 1e-5f, y);
        Add(y);

        // All exponents and both signs, without the infinities and NaN: NaN's payload is the CPU's.
        var x = Enumerable.Range(0, 0x7F80).Select(bits => BitConverter.Int32BitsToSingle((bits << 16) | (bits * 40503 & 0xFFFF)));
        float[] all = [.. x, .. x.Select(value => -value)];
        var result = new float[all.Length];
        GeluKernel.ApplyErf(all, result);
        Add(result);
        GeluKernel.ApplyTanh(all, result);
        Add(result);
        Add([.. all.Select(Elementary.Exp)]);
        Add([.. all.Select(Elementary.Tanh)]);
        Add([.. all.Where(value => value <= 0).Select(value => Elementary.ExpOfNegative(Vector512.Create(value))[0])]);
        Add(ExpOfQuads([.. all.Where(value => value is <= 0 and >= Elementary.LeastOfNegative)]));
        Add([.. all.Select(Elementary.Erf)]);

        SoftmaxKernel.Apply(Data.Noise(6, 99, 20), result);
        Add(result.AsSpan(0, 99));
        ResidualKernel.Add(Data.Noise(7, 99), result.AsSpan(0, 99));
        Add(result.AsSpan(0, 99));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The exponential of attention, four vectors at once, as far as there are whole ones.</summary>
    public static float[] ExpOfQuads(float[] x)
    {
        var result = new float[x.Length - (x.Length % Quad.Count)];
        for (var i = 0; i < result.Length; i += Quad.Count)
        {
            Elementary.ExpOfNegative(Quad.Load(ref x[0], (nuint)i)).Store(ref result[0], (nuint)i);
        }

        return result;
    }

    // Output and pattern of 3 queries over the keys of a block and some more: blocks, partial groups, tails of every loop.
    private static float[] Attend(float softcap)
    {
        const int HeadDim = 21, ValueDim = 83, Keys = AttentionKernel.BlockKeys + 44, Rows = 3;
        var (queries, bias) = (Data.Noise(10, Rows * HeadDim), Data.Noise(13, Rows * Keys, 4));
        var options = new AttentionOptions(0.7f, Causal: true, softcap);
        using var cache = new KvCache(HeadDim, ValueDim, Keys);
        cache.Append(Data.Noise(11, Keys * HeadDim), HeadDim, Data.Noise(12, Keys * ValueDim), ValueDim, Keys);

        var (output, pattern) = (new float[Rows * ValueDim], new float[Rows * Keys]);
        var mask = AttentionMask.Additive(bias, Keys);
        AttentionKernel.Attend(queries, HeadDim, Rows, Keys - Rows, cache, options, mask, output, ValueDim);
        AttentionKernel.Pattern(queries, HeadDim, Rows, Keys - Rows, cache, options, mask, pattern);
        return [.. output, .. pattern];
    }
}
