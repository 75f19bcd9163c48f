using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// exp, tanh and erf in float32 out of exactly rounded operations only (FMA, add, multiply, divide, round, integer shifts), so
/// that every CPU gives the same bits; a library's may change between CPUs and versions.
/// </summary>
public static class Elementary
{
    /// <summary>eˣ. 0 below −104, +∞ above 88.73, NaN for NaN.</summary>
    public static float Exp(float x) => Exp(Vector512.Create(x))[0];

    /// <summary>tanh x; NaN for NaN.</summary>
    public static float Tanh(float x) => Tanh(Vector512.Create(x))[0];

    /// <summary>erf x = 2/√π ∫₀ˣ e^(−t²) dt; NaN for NaN.</summary>
    public static float Erf(float x) => Erf(Vector512.Create(x))[0];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp(Vector512<float> x)
    {
        // Beyond these bounds the result is 0 or infinite all the same, and the exponent below fits its integers.
        var bounded = Vector512.MinNative(Vector512.MaxNative(x, Vector512.Create(-105f)), Vector512.Create(89f));

        // x = n ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, the first short enough for n times it to be exact.
        var n = Vector512.Round(bounded * 1.44269504f);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693145752f), bounded);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.42860677e-6f), r);

        var p = Vector512.Create(1f / 5040);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 720));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 120));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 24));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);

        // 2ⁿ in two factors: one alone could not be a float32 where the result is denormal or near the largest.
        var exponent = Vector512.ConvertToInt32(n);
        var half = exponent >> 1;
        var result = p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x), result, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Tanh(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);
        var large = Vector512<float>.One - (Vector512.Create(2f) / (Exp(magnitude + magnitude) + Vector512<float>.One));
        return Vector512.CopySign(large, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Erf(Vector512<float> x) => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();
}
