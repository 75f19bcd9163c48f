using System.Numerics;

namespace HeadCluster.Kernels.Definition;

/// <summary>
/// Attention as the paper writes it, in numbered passes over plain row-major arrays, in float or double: the oracle that every
/// kernel is tested against. Read this first.
/// </summary>
/// <remarks>
/// Vaswani et al. 2017 (arXiv:1706.03762), section 3.2: Attention(Q, K, V) = softmax(Q Kᵀ / √d) V, and
/// MultiHead(X) = Concat(head_1 … head_h) W_O with head_i = Attention(X W_Q,i  X W_K,i  X W_V,i).
/// </remarks>
public static class AttentionDefinition
{
    /// <summary>Pass 0: y = x W + b.</summary>
    /// <param name="x"><c>[rows, inputs]</c>.</param>
    /// <param name="weights">W, <c>[inputs, outputs]</c>.</param>
    /// <param name="bias">b, <c>[outputs]</c>, or empty for none.</param>
    /// <param name="rows">Rows of x and y.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="outputs">Columns of y.</param>
    /// <returns>y, <c>[rows, outputs]</c>.</returns>
    public static T[] Linear<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> weights, ReadOnlySpan<T> bias, int rows, int inputs, int outputs)
        where T : IFloatingPointIeee754<T>
    {
        var y = new T[rows * outputs];
        for (var row = 0; row < rows; row++)
        {
            for (var output = 0; output < outputs; output++)
            {
                var sum = bias.IsEmpty ? T.Zero : bias[output];
                for (var input = 0; input < inputs; input++)
                {
                    sum += x[(row * inputs) + input] * weights[(input * outputs) + output];
                }

                y[(row * outputs) + output] = sum;
            }
        }

        return y;
    }

    /// <summary>
    /// Pass 1: scores[i, j] = scale · q_i·k_j, bounded by the softcap; −∞ where query i, at position
    /// <paramref name="firstPosition"/> + i, does not see key j.
    /// </summary>
    /// <param name="queries"><c>[rows, headDim]</c>.</param>
    /// <param name="keys"><c>[keyCount, headDim]</c>.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="keyCount">Number of keys.</param>
    /// <param name="headDim">Elements of a query or key.</param>
    /// <param name="scale">Factor of each product.</param>
    /// <param name="causal">Whether a query sees only the keys at its own position and before.</param>
    /// <param name="firstPosition">Position of the first query among the keys.</param>
    /// <param name="softcap">c > 0 bounds s to c·tanh(s / c); 0 does nothing.</param>
    /// <param name="mask"><c>[rows, keyCount]</c>, added last, −∞ hides the key; empty for none.</param>
    /// <returns>scores, <c>[rows, keyCount]</c>.</returns>
    public static T[] Scores<T>(
        ReadOnlySpan<T> queries,
        ReadOnlySpan<T> keys,
        int rows,
        int keyCount,
        int headDim,
        T scale,
        bool causal,
        int firstPosition,
        T softcap,
        ReadOnlySpan<T> mask)
        where T : IFloatingPointIeee754<T>
    {
        var scores = new T[rows * keyCount];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < keyCount; j++)
            {
                var sum = T.Zero;
                for (var d = 0; d < headDim; d++)
                {
                    sum += queries[(i * headDim) + d] * keys[(j * headDim) + d];
                }

                var score = scale * sum;
                score = softcap > T.Zero ? softcap * T.Tanh(score / softcap) : score;
                score = causal && j > firstPosition + i ? T.NegativeInfinity : score;
                var bias = mask.IsEmpty ? T.Zero : mask[(i * keyCount) + j];
                scores[(i * keyCount) + j] = T.IsNegativeInfinity(bias) ? bias : score + bias;
            }
        }

        return scores;
    }

    /// <summary>Pass 2: each row of the pattern is the softmax of its scores; zeros where no key is seen.</summary>
    /// <param name="scores"><c>[rows, keyCount]</c>.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="keyCount">Number of keys.</param>
    /// <returns>pattern, <c>[rows, keyCount]</c>.</returns>
    public static T[] Pattern<T>(ReadOnlySpan<T> scores, int rows, int keyCount)
        where T : IFloatingPointIeee754<T>
    {
        var pattern = new T[rows * keyCount];
        for (var i = 0; i < rows; i++)
        {
            var row = scores.Slice(i * keyCount, keyCount);
            var maximum = T.NegativeInfinity;
            foreach (var score in row)
            {
                maximum = T.Max(maximum, score);
            }

            if (T.IsNegativeInfinity(maximum))
            {
                continue;
            }

            var sum = T.Zero;
            for (var j = 0; j < keyCount; j++)
            {
                sum += pattern[(i * keyCount) + j] = T.Exp(row[j] - maximum);
            }

            for (var j = 0; j < keyCount; j++)
            {
                pattern[(i * keyCount) + j] /= sum;
            }
        }

        return pattern;
    }

    /// <summary>Pass 3: z_i = Σ_j pattern[i, j] v_j over the keys that weigh anything.</summary>
    /// <param name="pattern"><c>[rows, keyCount]</c>.</param>
    /// <param name="values"><c>[keyCount, valueDim]</c>.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="keyCount">Number of keys.</param>
    /// <param name="valueDim">Elements of a value.</param>
    /// <returns>z, <c>[rows, valueDim]</c>.</returns>
    public static T[] Mix<T>(ReadOnlySpan<T> pattern, ReadOnlySpan<T> values, int rows, int keyCount, int valueDim)
        where T : IFloatingPointIeee754<T>
    {
        var output = new T[rows * valueDim];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < keyCount; j++)
            {
                var weight = pattern[(i * keyCount) + j];
                for (var d = 0; d < valueDim && weight != T.Zero; d++)
                {
                    output[(i * valueDim) + d] += weight * values[(j * valueDim) + d];
                }
            }
        }

        return output;
    }
}
