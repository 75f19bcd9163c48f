using System.Numerics;

namespace HeadCluster.Kernels.Definition;

/// <summary>What surrounds attention in a transformer, as its papers write it, in float or double.</summary>
public static class TransformerDefinition
{
    /// <summary>Layer normalisation, Ba et al. 2016 (arXiv:1607.06450): (x − mean) / √(variance + ε) · scale + bias.</summary>
    /// <param name="x"><c>[rows, scale.Length]</c>.</param>
    /// <param name="scale">γ, one per column.</param>
    /// <param name="bias">β, one per column, or empty for none.</param>
    /// <param name="epsilon">ε, added to the variance.</param>
    /// <returns>y, shaped as x.</returns>
    public static T[] LayerNorm<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> scale, ReadOnlySpan<T> bias, T epsilon)
        where T : IFloatingPointIeee754<T>
    {
        var y = new T[x.Length];
        var columns = scale.Length;
        var length = T.CreateChecked(columns);
        for (var row = 0; row < x.Length; row += columns)
        {
            var mean = T.Zero;
            for (var i = 0; i < columns; i++)
            {
                mean += x[row + i] / length;
            }

            var variance = T.Zero;
            for (var i = 0; i < columns; i++)
            {
                variance += (x[row + i] - mean) * (x[row + i] - mean) / length;
            }

            for (var i = 0; i < columns; i++)
            {
                y[row + i] = ((x[row + i] - mean) / T.Sqrt(variance + epsilon) * scale[i]) + (bias.IsEmpty ? T.Zero : bias[i]);
            }
        }

        return y;
    }

    /// <summary>Root mean square layer normalisation, Zhang and Sennrich 2019 (arXiv:1910.07467): x / √(mean of x² + ε) · scale.</summary>
    /// <param name="x"><c>[rows, scale.Length]</c>.</param>
    /// <param name="scale">g, one per column.</param>
    /// <param name="epsilon">ε, added to the mean of the squares.</param>
    /// <returns>y, shaped as x.</returns>
    public static T[] RmsNorm<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> scale, T epsilon)
        where T : IFloatingPointIeee754<T>
    {
        var y = new T[x.Length];
        var columns = scale.Length;
        var length = T.CreateChecked(columns);
        for (var row = 0; row < x.Length; row += columns)
        {
            var squares = T.Zero;
            for (var i = 0; i < columns; i++)
            {
                squares += x[row + i] * x[row + i] / length;
            }

            for (var i = 0; i < columns; i++)
            {
                y[row + i] = x[row + i] / T.Sqrt(squares + epsilon) * scale[i];
            }
        }

        return y;
    }

    /// <summary>GELU in its tanh form, Hendrycks and Gimpel 2016 (arXiv:1606.08415).</summary>
    public static T GeluTanh<T>(T x)
        where T : IFloatingPointIeee754<T>
    {
        var half = T.CreateChecked(0.5);
        return half * x * (T.One + T.Tanh(T.Sqrt(T.CreateChecked(2) / T.Pi) * (x + (T.CreateChecked(0.044715) * x * x * x))));
    }

    /// <summary>GELU in its exact form, x/2 · (1 + erf(x / √2)).</summary>
    public static T GeluErf<T>(T x)
        where T : IFloatingPointIeee754<T> =>
        T.CreateChecked(0.5) * x * (T.One + T.CreateChecked(Erf(double.CreateChecked(x) / Math.Sqrt(2))));

    /// <summary>
    /// The error function in double: its Maclaurin series near 0 (Abramowitz and Stegun 7.1.6), the continued fraction of erfc
    /// beyond (7.1.14).
    /// </summary>
    public static double Erf(double x)
    {
        var magnitude = Math.Abs(x);
        if (double.IsNaN(x) || magnitude > 6)
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }

        return Math.CopySign(magnitude < 2.5 ? Series(magnitude) : 1 - Complement(magnitude), x);

        // erf x = 2/√π e^(−x²) Σ_n 2ⁿ x^(2n+1) / (1·3·…·(2n+1)): every term is positive, so nothing cancels.
        static double Series(double x)
        {
            var term = x;
            var sum = x;
            for (var n = 1; term > sum * 1e-17; n++)
            {
                term *= 2 * x * x / ((2 * n) + 1);
                sum += term;
            }

            return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
        }

        // erfc x = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), evaluated from its far end.
        static double Complement(double x)
        {
            var tail = x;
            for (var n = 60; n >= 1; n--)
            {
                tail = x + (n / 2.0 / tail);
            }

            return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * tail);
        }
    }
}
