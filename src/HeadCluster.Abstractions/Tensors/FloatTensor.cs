using System.Globalization;

namespace HeadCluster;

/// <summary>
/// A row-major tensor of float32 that crosses the wire as one contiguous run of bytes. It is immutable: whoever passes an
/// array in gives it away, and a call on the same silo passes the very same object.
/// </summary>
[Immutable]
public sealed class FloatTensor
{
    /// <summary>The largest number of axes.</summary>
    public const int MaxRank = 8;

    /// <summary>The largest number of elements: their bytes and the shape fit into one length-prefixed field.</summary>
    public const int MaxLength = (int.MaxValue - (sizeof(int) * (MaxRank + 1))) / sizeof(float);

    private readonly ReadOnlyMemory<float> _data;
    private readonly int[] _shape;

    /// <summary>Takes ownership of <paramref name="data"/>, which nobody may write again.</summary>
    /// <param name="data">The elements, row-major; its length is the product of <paramref name="shape"/>.</param>
    /// <param name="shape">Length of each axis, outermost first; none for a scalar.</param>
    /// <exception cref="ArgumentException">The shape is not that of the data.</exception>
    public FloatTensor(float[] data, params ReadOnlySpan<int> shape)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (!TryCountElements(shape, out var length) || length != data.Length)
        {
            throw new ArgumentException($"{data.Length} elements do not fill the shape {Describe(shape)}", nameof(data));
        }

        _data = data;
        _shape = shape.ToArray();
    }

    private FloatTensor(ReadOnlyMemory<float> rows, int count, int columns)
    {
        _data = rows;
        _shape = [count, columns];
    }

    /// <summary>Length of each axis, outermost first.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>The elements, row-major.</summary>
    public ReadOnlySpan<float> Span => _data.Span;

    /// <summary>The elements, row-major.</summary>
    public ReadOnlyMemory<float> Memory => _data;

    /// <summary>The number of axes.</summary>
    public int Rank => _shape.Length;

    /// <summary>The number of elements.</summary>
    public int Length => _data.Length;

    /// <summary>Length of axis 0 of a matrix.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not a matrix.</exception>
    public int Rows => Rank == 2 ? _shape[0] : throw NotAMatrix();

    /// <summary>Length of axis 1 of a matrix.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not a matrix.</exception>
    public int Columns => Rank == 2 ? _shape[1] : throw NotAMatrix();

    /// <summary>Row <paramref name="row"/> of a matrix, <see cref="Columns"/> long.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not a matrix.</exception>
    public ReadOnlySpan<float> Row(int row) => Span.Slice(row * Columns, Columns);

    /// <summary>Some rows of a matrix, as a matrix that shares its elements.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not a matrix.</exception>
    public FloatTensor RowRange(int first, int count) => new(_data.Slice(first * Columns, count * Columns), count, Columns);

    /// <summary>The shape and not the elements, such as <c>float32[11, 48]</c>.</summary>
    public override string ToString() => "float32" + Describe(_shape);

    /// <summary>A shape as text, such as <c>[11, 48]</c>.</summary>
    public static string Describe(ReadOnlySpan<int> shape)
    {
        var axes = new string[shape.Length];
        for (var i = 0; i < axes.Length; i++)
        {
            axes[i] = shape[i].ToString(CultureInfo.InvariantCulture);
        }

        return $"[{string.Join(", ", axes)}]";
    }

    /// <summary>The product of a shape, if it is one that a tensor can have.</summary>
    internal static bool TryCountElements(ReadOnlySpan<int> shape, out int length)
    {
        length = 0;
        if (shape.Length > MaxRank)
        {
            return false;
        }

        // An axis of 0 empties the tensor, whatever the others are; the others must still be lengths.
        long product = 1;
        foreach (var axis in shape)
        {
            if (axis < 0 || (product *= axis) > MaxLength)
            {
                return false;
            }
        }

        length = (int)product;
        return true;
    }

    private InvalidOperationException NotAMatrix() => new($"{this} is not a matrix");
}
