using System.Globalization;
using HeadCluster.Memory;

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

    // Less is not worth keeping.
    private const int LeastPooled = 4096;

    private readonly int[] _shape;
    private readonly int _start;
    private readonly bool _pooled;
    private float[]? _elements;

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

        _elements = data;
        _shape = shape.ToArray();
        Length = length;
    }

    private FloatTensor(float[] elements, int start, int length, bool pooled, int[] shape)
    {
        _elements = elements;
        _start = start;
        _pooled = pooled;
        _shape = shape;
        Length = length;
    }

    /// <summary>Length of each axis, outermost first.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>The elements, row-major.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was released.</exception>
    public ReadOnlySpan<float> Span => new(Elements, _start, Length);

    /// <summary>The elements, row-major.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was released.</exception>
    public ReadOnlyMemory<float> Memory => new(Elements, _start, Length);

    /// <summary>In what form the tensor travels; its elements are of that precision, so that it comes with all their bits.</summary>
    public WirePrecision Precision { get; private init; }

    /// <summary>The number of axes.</summary>
    public int Rank => _shape.Length;

    /// <summary>The number of elements.</summary>
    public int Length { get; }

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
    public FloatTensor RowRange(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Rows - first);
        return new FloatTensor(Elements, _start + (first * Columns), count * Columns, pooled: false, [count, Columns]) { Precision = Precision };
    }

    /// <summary>
    /// A tensor over memory that is used again once it is released. Whoever creates it writes the elements before anybody else
    /// sees it.
    /// </summary>
    /// <param name="elements">Row-major, at least as long as the tensor; what it holds at first is undefined.</param>
    /// <param name="shape">Length of each axis, outermost first.</param>
    /// <exception cref="ArgumentException">There is no tensor of this shape.</exception>
    public static FloatTensor Rent(out float[] elements, params ReadOnlySpan<int> shape) => Rent(WirePrecision.Float32, out elements, shape);

    /// <summary>Such a tensor, whose elements will be of a precision.</summary>
    internal static FloatTensor Rent(WirePrecision precision, out float[] elements, params ReadOnlySpan<int> shape)
    {
        if (!TryCountElements(shape, out var length))
        {
            throw new ArgumentException($"there is no tensor of shape {Describe(shape)}", nameof(shape));
        }

        var pooled = length >= LeastPooled;
        elements = pooled ? SpareArrays<float>.Shared.Rent(length) : GC.AllocateUninitializedArray<float>(length);
        return new FloatTensor(elements, 0, length, pooled, shape.ToArray()) { Precision = precision };
    }

    /// <summary>The tensor itself if it is of a precision, or a rounded one over memory of its own.</summary>
    internal FloatTensor RoundTo(WirePrecision precision)
    {
        if (precision == Precision || precision == WirePrecision.Float32)
        {
            return this;
        }

        var rounded = Rent(precision, out var elements, Shape);
        BFloat16.Round(Span, elements);
        return rounded;
    }

    /// <summary>What an element takes when it travels, in bytes.</summary>
    internal int BytesPerElement => Precision == WirePrecision.BFloat16 ? sizeof(ushort) : sizeof(float);

    /// <summary>
    /// Gives the memory back, to be used for other tensors: nobody may use this one, or rows of it, any more. It need not be
    /// called, since a tensor that nobody releases is collected as garbage; but fresh memory takes the system a page fault for
    /// every few kilobytes, which for large tensors is a good part of the time of an attention layer.
    /// </summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _elements, null) is { } elements && _pooled)
        {
            SpareArrays<float>.Shared.Return(elements);
        }
    }

    /// <summary>Has the tensor released as soon as it has been sent to another process, for a reply that its sender never sees again.</summary>
    /// <returns>The tensor.</returns>
    public FloatTensor ReleaseWhenSent()
    {
        IsReleasedWhenSent = true;
        return this;
    }

    /// <summary>Whether sending it ends its use.</summary>
    internal bool IsReleasedWhenSent { get; private set; }

    private float[] Elements => _elements ?? throw new ObjectDisposedException(nameof(FloatTensor), "the tensor was released");

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
