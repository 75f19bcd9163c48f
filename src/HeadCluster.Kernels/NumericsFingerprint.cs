using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace HeadCluster.Kernels;

/// <summary>
/// What this process's kernels make of inputs that never change: of two processes whose fingerprints differ, each gives requests bits that the
/// other does not, and they must not share one.
/// </summary>
/// <remarks>
/// In it are causal attention and its pattern with an added mask, with and without softcap, of three queries over more keys than a block; a
/// product with float32 weights of eleven rows; layer norm, both GELUs, softmax and the residual sum; exp, both exponentials of attention, tanh
/// and erf at values of every exponent. Other ways through the kernels, such as a row alone, plain attention, weights of 16 bits and the split over
/// threads, are left to the tests: what it covers cannot change without parting silos of two versions.
/// </remarks>
/// <param name="Hash">SHA-256 of all results' bits, 64 hexadecimal digits.</param>
public sealed record NumericsFingerprint(string Hash)
{
    private static readonly Lazy<Task<NumericsFingerprint>> Here = new(() => Task.Run(() => new NumericsFingerprint(Compute())));

    /// <summary>
    /// That of this process. The kernels that requests go through run for it once, and are compiled for it the first time: a tenth of a second on
    /// another thread.
    /// </summary>
    public static Task<NumericsFingerprint> OfThisProcess => Here.Value;

    private static string Compute()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(ReadOnlySpan<float> values) => hash.AppendData(MemoryMarshal.AsBytes(values));

        Add(Attend(softcap: 0));
        Add(Attend(softcap: 5));
        var y = new float[11 * 70];
        LinearKernel.Apply(Noise(1, 11 * 33), 11, PackedMatrix.Pack(33, new LinearPart(70, Noise(2, 33 * 70), Noise(3, 70))), y);
        Add(y);
        LayerNormKernel.Apply(y, 11, Noise(4, 70), Noise(5, 70), 1e-5f, y);
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
        Add(MostExponentials([.. all.Where(value => value is <= 0 and >= Elementary.LeastOfNegative)]));
        Add([.. all.Select(Elementary.Erf)]);

        SoftmaxKernel.Apply(Noise(6, 99, 20), result);
        Add(result.AsSpan(0, 99));
        ResidualKernel.Add(Noise(7, 99), result.AsSpan(0, 99));
        Add(result.AsSpan(0, 99));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Output and pattern of 3 queries over the keys of a block and some more: blocks, partial groups, tails of every loop.
    private static float[] Attend(float softcap)
    {
        const int HeadDim = 21, ValueDim = 83, Keys = AttentionKernel.BlockKeys + 44, Rows = 3;
        var (queries, bias) = (Noise(10, Rows * HeadDim), Noise(13, Rows * Keys, 4));
        var options = new AttentionOptions(0.7f, Causal: true, softcap);
        using var cache = new KvCache(HeadDim, ValueDim, Keys);
        cache.Append(Noise(11, Keys * HeadDim), HeadDim, Noise(12, Keys * ValueDim), ValueDim, Keys);

        var (output, pattern) = (new float[Rows * ValueDim], new float[Rows * Keys]);
        var mask = AttentionMask.Additive(bias, Keys);
        AttentionKernel.Attend(queries, HeadDim, Rows, Keys - Rows, cache, options, mask, output, ValueDim);
        AttentionKernel.Pattern(queries, HeadDim, Rows, Keys - Rows, cache, options, mask, pattern);
        return [.. output, .. pattern];
    }

    // The exponential of attention as it computes most: four vectors at once, as far as there are whole ones, or half of one where no register
    // holds it.
    [MethodImpl(Compile.Alone)]
    private static float[] MostExponentials(float[] x)
    {
        var result = new float[x.Length - (x.Length % Quad.Count)];
        for (var i = 0; Vector512.IsHardwareAccelerated && i < result.Length; i += Quad.Count)
        {
            Elementary.ExpOfNegative(Quad.Load(ref x[0], (nuint)i)).Store(ref result[0], (nuint)i);
        }

        for (var i = 0; !Vector512.IsHardwareAccelerated && i < result.Length; i += Vector256<float>.Count)
        {
            Elementary.ExpOfNegative(Vector256.LoadUnsafe(ref x[0], (nuint)i)).StoreUnsafe(ref result[0], (nuint)i);
        }

        return result;
    }

    /// <summary>Values spread evenly over ±amplitude, the same in every process.</summary>
    internal static float[] Noise(int seed, int length, float amplitude = 1)
    {
        var values = new float[length];
        var state = ((ulong)(uint)seed * 0x9E3779B97F4A7C15) + 0x2545F4914F6CDD1D;
        for (var i = 0; i < length; i++)
        {
            // Xorshift, Marsaglia 2003; the upper 24 bits fill a float32's digits.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            values[i] = (((state >> 40) / 8388608f) - 1) * amplitude;
        }

        return values;
    }
}
