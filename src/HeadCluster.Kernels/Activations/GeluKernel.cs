using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>The Gaussian error linear unit, Hendrycks and Gimpel 2016 (arXiv:1606.08415), in its exact and its tanh form.</summary>
public static class GeluKernel
{
    /// <summary>y = x/2 · (1 + erf(x / √2)).</summary>
    /// <param name="x">Any values; NaN and −∞ give NaN.</param>
    /// <param name="y">As long as <paramref name="x"/>; may be the same span.</param>
    /// <exception cref="ArgumentException">y is too short or overlaps x in part.</exception>
    public static void ApplyErf(ReadOnlySpan<float> x, Span<float> y) => Elementwise.Apply<ErfForm>(x, y);

    /// <summary>y = x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).</summary>
    /// <param name="x">Any values; NaN and −∞ give NaN.</param>
    /// <param name="y">As long as <paramref name="x"/>; may be the same span.</param>
    /// <exception cref="ArgumentException">y is too short or overlaps x in part.</exception>
    public static void ApplyTanh(ReadOnlySpan<float> x, Span<float> y) => Elementwise.Apply<TanhForm>(x, y);

    private readonly struct ErfForm : IElementwise
    {
        public static Vector512<float> Invoke(Vector512<float> x)
        {
            var half = x * 0.5f;
            return Vector512.FusedMultiplyAdd(half, Elementary.Erf(x * 0.70710678f), half);
        }
    }

    private readonly struct TanhForm : IElementwise
    {
        public static Vector512<float> Invoke(Vector512<float> x)
        {
            // √(2/π) x (1 + 0.044715 x²)
            var cubic = Vector512.FusedMultiplyAdd(x * x, Vector512.Create(0.044715f), Vector512<float>.One);
            var half = x * 0.5f;
            return Vector512.FusedMultiplyAdd(half, Elementary.Tanh(x * 0.79788456f * cubic), half);
        }
    }
}
