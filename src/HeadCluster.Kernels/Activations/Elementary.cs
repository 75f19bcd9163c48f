using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// exp, tanh and erf in float32 out of exactly rounded operations only (FMA, add, multiply, divide, round, integer shifts), so
/// that every CPU gives the same bits; a library's may change between CPUs and versions.
/// </summary>
/// <remarks>
/// Coefficients are minimax fits by Remez' exchange, for the relative error of the result, rounded to float32 one by one from
/// the lowest while the rest is fitted anew. Errors are the largest of all 2³² arguments, in units of the last place.
/// </remarks>
public static class Elementary
{
    // x = n ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, the first short enough for n times it to be exact.
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693145752f;
    private const float Ln2Low = 1.42860677e-6f;

    // eʳ − 1 = r + r² p(r), p of degree 5, for |r| ≤ ln 2 / 2: 3.3e-9 of eʳ − 1.
    private const float Exp5 = 0.000149257306f;
    private const float Exp4 = 0.00139305205f;
    private const float Exp3 = 0.00834161229f;
    private const float Exp2 = 0.0416665114f;
    private const float Exp1 = 0.166666359f;
    private const float Exp0 = 0.5f;

    // eʳ = 1 + r + r² p(r), p of degree 4, for |r| ≤ ln 2 / 2: 3.2e-9 of eʳ.
    private const float Negative4 = 0.00138389028f;
    private const float Negative3 = 0.00836919248f;
    private const float Negative2 = 0.0416681021f;
    private const float Negative1 = 0.166665167f;
    private const float Negative0 = 0.49999994f;

    // 1.5 · 2²³, where float32 are 1 apart: a sum with it is rounded to an integer, which stands in the sum's lowest bits.
    private const float ToInteger = 12582912;

    /// <summary>What <see cref="ExpOfNegative(Quad)"/> takes at least: its results are normal numbers.</summary>
    internal const float LeastOfNegative = -87;

    /// <summary>eˣ within 0.99 ulp, not decreasing. 0 below −104, +∞ above 88.73, NaN for NaN.</summary>
    public static float Exp(float x) => Exp(Vector512.Create(x))[0];

    /// <summary>tanh x within 1.30 ulp, not decreasing, odd, never beyond ±1; NaN for NaN.</summary>
    public static float Tanh(float x) => Tanh(Vector512.Create(x))[0];

    /// <summary>erf x = 2/√π ∫₀ˣ e^(−t²) dt within 1.70 ulp, not decreasing, odd, never beyond ±1; NaN for NaN.</summary>
    public static float Erf(float x) => Erf(Vector512.Create(x))[0];

    /// <summary>
    /// 1/√x within 1.5 ulp: a square root and a division, both rounded exactly, where a CPU's own instruction only estimates.
    /// Infinite of x's sign for ±0, NaN below 0 and for NaN.
    /// </summary>
    public static float ReciprocalSqrt(float x) => 1 / MathF.Sqrt(x);

    // CPUs disagree in what the native minimum and maximum make of NaN, and of zeros of both signs. The bounds here are not
    // zero, and each function ends by putting NaN back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp(Vector512<float> x)
    {
        // Beyond these bounds the result is 0 or infinite all the same, and the exponent below fits its integers.
        var bounded = Vector512.MinNative(Vector512.MaxNative(x, Vector512.Create(-105f)), Vector512.Create(89f));
        var (n, r) = Reduce(bounded);
        return OrNaN(Scale(Vector512<float>.One + ExpMinusOneNearZero(r), n), x);
    }

    /// <summary>
    /// eˣ within 0.90 ulp for x ≤ 0, as a softmax needs it; 0 below −104, NaN for NaN. Faster than <see cref="Exp(Vector512{float})"/>, but of
    /// neighbouring arguments the larger may have the smaller result, by one ulp.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> ExpOfNegative(Vector512<float> x)
    {
        var bounded = Vector512.MaxNative(x, Vector512.Create(-105f));
        var sum = Vector512.FusedMultiplyAdd(bounded, Vector512.Create(Log2E), Vector512.Create(ToInteger));
        var n = sum - Vector512.Create(ToInteger);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), bounded);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(Negative4), r, Vector512.Create(Negative3));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Negative2));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Negative1));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Negative0));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        return OrNaN(Scale(p, sum.AsInt32() - Vector512.Create(ToInteger).AsInt32()), x);
    }

    /// <summary>
    /// The bits of <see cref="ExpOfNegative(Vector512{float})"/> for each of four vectors, faster, where all elements are between
    /// <see cref="LeastOfNegative"/> and 0, as those of a softmax nearly always are; anything else outside.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Quad ExpOfNegative(Quad x)
    {
        var sum = Quad.FusedMultiplyAdd(x, Log2E, ToInteger);
        var n = sum - ToInteger;
        var r = Quad.FusedMultiplyAdd(n, -Ln2Low, Quad.FusedMultiplyAdd(n, -Ln2High, x));
        var p = Quad.FusedMultiplyAdd(Negative4, r, Negative3);
        p = Quad.FusedMultiplyAdd(p, r, Negative2);
        p = Quad.FusedMultiplyAdd(p, r, Negative1);
        p = Quad.FusedMultiplyAdd(p, r, Negative0);
        p = Quad.FusedMultiplyAdd(p, r, 1);
        p = Quad.FusedMultiplyAdd(p, r, 1);
        return new Quad(Shift(p.V0, sum.V0), Shift(p.V1, sum.V1), Shift(p.V2, sum.V2), Shift(p.V3, sum.V3));
    }

    /// <summary><see cref="ExpOfNegative(Quad)"/> of half a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> ExpOfNegative(Vector256<float> x)
    {
        var sum = Vector256.FusedMultiplyAdd(x, Vector256.Create(Log2E), Vector256.Create(ToInteger));
        var n = sum - Vector256.Create(ToInteger);
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2High), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2Low), r);
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(Negative4), r, Vector256.Create(Negative3));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(Negative2));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(Negative1));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(Negative0));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        return (p.AsInt32() + (sum.AsInt32() << 23)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Tanh(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);

        // (tanh x / x − 1) / x² in x², degree 4, for |x| ≤ 0.65: 6.8e-9 of tanh.
        var square = x * x;
        var p = Vector512.Create(-0.00551453838f);
        p = Vector512.FusedMultiplyAdd(p, square, Vector512.Create(0.0204689074f));
        p = Vector512.FusedMultiplyAdd(p, square, Vector512.Create(-0.0536878891f));
        p = Vector512.FusedMultiplyAdd(p, square, Vector512.Create(0.133308291f));
        p = Vector512.FusedMultiplyAdd(p, square, Vector512.Create(-0.333332598f));
        var small = Vector512.FusedMultiplyAdd(magnitude * square, p, magnitude);

        var large = Vector512<float>.One - (Vector512.Create(2f) / (Exp(magnitude + magnitude) + Vector512<float>.One));
        var result = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0.65f)), small, large);
        return OrNaN(Vector512.CopySign(result, x), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Erf(Vector512<float> x)
    {
        // From 3.92 on erf rounds to 1.
        var magnitude = Vector512.MinNative(Vector512.Abs(x), Vector512.Create(4f));

        // −ln(erfc x) / x − 1 in x, degree 8, for 0 ≤ x ≤ 4: 4.5e-9 of erf.
        var p = Vector512.Create(-9.37972709e-06f);
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(0.000118767101f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(-0.000637040182f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(0.00167521089f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(-0.0001692152f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(-0.0191478841f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(0.102776304f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(0.636619568f));
        p = Vector512.FusedMultiplyAdd(p, magnitude, Vector512.Create(0.128379166f));
        var logarithm = -Vector512.FusedMultiplyAdd(p, magnitude, magnitude);

        // 1 − erf = 2ⁿ eʳ, so −erf = 2ⁿ (eʳ − 1) + (2ⁿ − 1), which near 0 is eʳ − 1 and loses no digit.
        var (n, r) = Reduce(logarithm);
        var scale = PowerOfTwo(n);
        var result = Vector512.FusedMultiplyAdd(scale, ExpMinusOneNearZero(r), scale - Vector512<float>.One);
        return OrNaN(Vector512.CopySign(result, x), x);
    }

    // The conversion is the CPU's own: CPUs disagree only on what is out of an integer's range, and on NaN, which each function
    // puts back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<int> N, Vector512<float> R) Reduce(Vector512<float> x)
    {
        var n = Vector512.Round(x * Log2E);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), x);
        return (Vector512.ConvertToInt32Native(n), Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ExpMinusOneNearZero(Vector512<float> r)
    {
        var p = Vector512.Create(Exp5);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exp4));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exp3));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exp2));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exp1));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exp0));
        return Vector512.FusedMultiplyAdd(r * r, p, r);
    }

    // power · 2ⁿ with 2ⁿ in two factors: one alone could not be a float32 where the result is denormal or near the largest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scale(Vector512<float> power, Vector512<int> n)
    {
        var half = n >> 1;
        return power * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    // power · 2ⁿ where the result is a normal number: n more in its exponent. Of sum = ToInteger + n the shift leaves the lowest bits, n.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Shift(Vector512<float> power, Vector512<float> sum) => (power.AsInt32() + (sum.AsInt32() << 23)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> OrNaN(Vector512<float> result, Vector512<float> x) =>
        Vector512.ConditionalSelect(Vector512.Equals(x, x), result, x);
}
