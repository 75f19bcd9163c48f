using System.Runtime.CompilerServices;

namespace HeadCluster.Kernels;

/// <summary>
/// Which keys each query may see, beyond causality: nothing more, a matrix of booleans (true sees), or a matrix that is added
/// to the scores (−∞ hides). Keys past the mask's last column are hidden.
/// </summary>
public readonly ref struct AttentionMask
{
    private readonly ReadOnlySpan<bool> _visible;
    private readonly ReadOnlySpan<float> _bias;

    private AttentionMask(ReadOnlySpan<bool> visible, ReadOnlySpan<float> bias, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        _visible = visible;
        _bias = bias;
        Columns = columns;
    }

    /// <summary>No mask.</summary>
    public static AttentionMask None => default;

    /// <summary>A boolean mask.</summary>
    /// <param name="visible"><c>[rows, columns]</c>, row-major; true where the query sees the key.</param>
    /// <param name="columns">Keys that the mask covers.</param>
    public static AttentionMask Boolean(ReadOnlySpan<bool> visible, int columns) => new(visible, default, columns);

    /// <summary>An additive mask.</summary>
    /// <param name="bias"><c>[rows, columns]</c>, row-major; added to the scaled and capped scores, −∞ hides the key.</param>
    /// <param name="columns">Keys that the mask covers.</param>
    public static AttentionMask Additive(ReadOnlySpan<float> bias, int columns) => new(default, bias, columns);

    /// <summary>Keys that the mask covers; 0 for no mask.</summary>
    public int Columns { get; }

    internal bool IsNone => Columns == 0;

    internal void Validate(int rows)
    {
        if (!IsNone)
        {
            Check.AtLeast(Math.Max(_visible.Length, _bias.Length), (long)rows * Columns, "mask");
        }
    }

    /// <summary>Adds the mask to the scores of query <paramref name="row"/> for the keys from <paramref name="firstKey"/> on.</summary>
    [MethodImpl(Compile.Alone)]
    internal void Apply(int row, int firstKey, Span<float> scores)
    {
        if (IsNone)
        {
            return;
        }

        var covered = Math.Clamp(Columns - firstKey, 0, scores.Length);
        scores[covered..].Fill(float.NegativeInfinity);
        var start = (row * Columns) + firstKey;
        if (!_bias.IsEmpty)
        {
            for (var key = 0; key < covered; key++)
            {
                // Not simply their sum, which NaN in a hidden key would turn into NaN.
                var bias = _bias[start + key];
                scores[key] = bias == float.NegativeInfinity ? bias : scores[key] + bias;
            }
        }
        else
        {
            for (var key = 0; key < covered; key++)
            {
                scores[key] = _visible[start + key] ? scores[key] : float.NegativeInfinity;
            }
        }
    }
}
