using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// Keys and values of one key/value head, as attention reads them. Keys stand dimension-major in groups of 64, so that lanes
/// run over keys; values stand row-major, so that lanes run over their elements.
/// </summary>
/// <remarks>
/// Layout: <c>keys[ceil(Capacity / 64)][HeadDim][64]</c>, <c>values[Capacity][ceil(ValueDim / 16) · 16]</c>. What lies beyond
/// the last key or a value's last element is undefined, and lanes keep it apart. Not thread-safe. The memory is pooled:
/// dispose it.
/// </remarks>
public sealed class KvCache : IDisposable
{
    private const int KeysAtOnce = 4;

    private float[] _keys;
    private float[] _values;
    private bool _disposed;

    /// <summary>An empty cache.</summary>
    /// <param name="headDim">Elements of a key.</param>
    /// <param name="valueDim">Elements of a value.</param>
    /// <param name="capacity">Positions it can hold.</param>
    public KvCache(int headDim, int valueDim, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headDim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(valueDim);
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        HeadDim = headDim;
        ValueDim = valueDim;
        ValueStride = Lanes.RoundUp(valueDim);
        Rent(capacity);
    }

    /// <summary>Elements of a key.</summary>
    public int HeadDim { get; }

    /// <summary>Elements of a value.</summary>
    public int ValueDim { get; }

    /// <summary>Positions it can hold.</summary>
    public int Capacity { get; private set; }

    /// <summary>Positions it holds.</summary>
    public int Length { get; private set; }

    /// <summary>Memory that it takes, in bytes, whatever it holds.</summary>
    public long Bytes => sizeof(float) * ((long)_keys.Length + _values.Length);

    /// <summary>Elements from one value to the next.</summary>
    internal int ValueStride { get; }

    /// <summary>The first element of the keys 64·<paramref name="group"/> … +63, <c>[HeadDim, 64]</c>.</summary>
    internal ref readonly float KeyGroup(int group) => ref _keys[group * HeadDim * PanelKernel.PanelColumns];

    /// <summary>The first element of the value at <paramref name="position"/>.</summary>
    internal ref readonly float Value(int position) => ref _values[position * ValueStride];

    /// <summary>The least memory that a cache takes, in bytes; arrays of the pool may be larger.</summary>
    /// <param name="headDim">Elements of a key.</param>
    /// <param name="valueDim">Elements of a value.</param>
    /// <param name="capacity">Positions it can hold.</param>
    public static long SizeOf(int headDim, int valueDim, int capacity) =>
        sizeof(float) * ((GroupsOf(capacity) * PanelKernel.PanelColumns * headDim) + ((long)capacity * Lanes.RoundUp(valueDim)));

    /// <summary>Appends keys and values of the next positions.</summary>
    /// <param name="keys">Row r is <c>keys[r·keyStride …]</c>, HeadDim long.</param>
    /// <param name="keyStride">Elements from one key to the next.</param>
    /// <param name="values">Row r is <c>values[r·valueStride …]</c>, ValueDim long.</param>
    /// <param name="valueStride">Elements from one value to the next.</param>
    /// <param name="rows">How many.</param>
    /// <exception cref="InvalidOperationException">They do not fit the capacity; nothing was appended.</exception>
    [MethodImpl(Compile.Alone)]
    public void Append(ReadOnlySpan<float> keys, int keyStride, ReadOnlySpan<float> values, int valueStride, int rows)
    {
        CheckRoom(rows);
        if (rows == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(keyStride, HeadDim);
        ArgumentOutOfRangeException.ThrowIfLessThan(valueStride, ValueDim);
        Check.AtLeast(keys.Length, ((long)(rows - 1) * keyStride) + HeadDim, nameof(keys));
        Check.AtLeast(values.Length, ((long)(rows - 1) * valueStride) + ValueDim, nameof(values));

        for (var row = 0; row < rows; row++)
        {
            values.Slice(row * valueStride, ValueDim).CopyTo(_values.AsSpan((Length + row) * ValueStride));
        }

        for (var row = 0; row < rows;)
        {
            var columns = KeysFrom(Length + row, out var lane);
            var key = keys.Slice(row * keyStride);
            if (Math.Min(rows - row, PanelKernel.PanelColumns - lane) >= KeysAtOnce)
            {
                PlaceKeys(key, keyStride, columns);
                row += KeysAtOnce;
                continue;
            }

            for (var d = 0; d < HeadDim; d++)
            {
                columns[d * PanelKernel.PanelColumns] = key[d];
            }

            row++;
        }

        Length += rows;
    }

    /// <summary>Copies all keys and values, row by row as <see cref="Append"/> takes them.</summary>
    /// <param name="rows">Of each position the key, then the value: <c>[Length, HeadDim + ValueDim]</c>.</param>
    /// <exception cref="ArgumentException">There is no room for them.</exception>
    public void CopyTo(Span<float> rows)
    {
        var stride = HeadDim + ValueDim;
        Check.AtLeast(rows.Length, (long)Length * stride, nameof(rows));
        for (var position = 0; position < Length; position++)
        {
            var row = rows.Slice(position * stride, stride);
            var columns = KeysFrom(position, out _);
            for (var d = 0; d < HeadDim; d++)
            {
                row[d] = columns[d * PanelKernel.PanelColumns];
            }

            _values.AsSpan(position * ValueStride, ValueDim).CopyTo(row[HeadDim..]);
        }
    }

    /// <summary>Forgets all positions and keeps the memory.</summary>
    public void Clear() => Length = 0;

    /// <summary>Forgets the positions from <paramref name="length"/> on; a cache that holds no more keeps them all.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = Math.Min(length, Length);
    }

    /// <summary>Throws unless that many more positions can be appended.</summary>
    internal void CheckRoom(int rows)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (rows > Capacity - Length)
        {
            throw new InvalidOperationException($"{rows} more positions do not fit: {Length} of {Capacity} are taken");
        }
    }

    /// <summary>Forgets all positions and makes room for <paramref name="capacity"/> or more.</summary>
    public void Reset(int capacity)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Length = 0;
        if (capacity > Capacity)
        {
            Return();
            Rent(capacity);
        }
    }

    /// <summary>Gives the memory back; the cache holds nothing afterwards.</summary>
    public void Dispose()
    {
        _disposed = true;
        Return();
    }

    // Some keys side by side, so that their elements of one dimension are written at once.
    [MethodImpl(Compile.Alone)]
    private void PlaceKeys(ReadOnlySpan<float> keys, int stride, Span<float> columns)
    {
        const int Columns = PanelKernel.PanelColumns;
        var key0 = keys[..HeadDim];
        var key1 = keys.Slice(stride, key0.Length);
        var key2 = keys.Slice(2 * stride, key0.Length);
        var key3 = keys.Slice(3 * stride, key0.Length);
        var d = 0;

        // Four dimensions of the four keys are a square, which one register turns over.
        for (; Vector512.IsHardwareAccelerated && d <= HeadDim - KeysAtOnce; d += KeysAtOnce)
        {
            var square = Vector512.Create(
                Vector256.Create(Vector128.Create(key0[d..]), Vector128.Create(key1[d..])),
                Vector256.Create(Vector128.Create(key2[d..]), Vector128.Create(key3[d..])));
            var turned = Vector512.Shuffle(square, Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
            turned.GetLower().GetLower().CopyTo(columns[(d * Columns)..]);
            turned.GetLower().GetUpper().CopyTo(columns[((d + 1) * Columns)..]);
            turned.GetUpper().GetLower().CopyTo(columns[((d + 2) * Columns)..]);
            turned.GetUpper().GetUpper().CopyTo(columns[((d + 3) * Columns)..]);
        }

        for (; d < HeadDim; d++)
        {
            Vector128.Create(key0[d], key1[d], key2[d], key3[d]).CopyTo(columns[(d * Columns)..]);
        }
    }

    // The group of the key at a position, from its lane on.
    private Span<float> KeysFrom(int position, out int lane)
    {
        (var group, lane) = Math.DivRem(position, PanelKernel.PanelColumns);
        return _keys.AsSpan(group * HeadDim * PanelKernel.PanelColumns, HeadDim * PanelKernel.PanelColumns)[lane..];
    }

    private static long GroupsOf(int capacity) => ((long)capacity + PanelKernel.PanelColumns - 1) / PanelKernel.PanelColumns;

    private void Return()
    {
        ArrayPool<float>.Shared.Return(_keys);
        ArrayPool<float>.Shared.Return(_values);
        _keys = _values = [];
        Length = Capacity = 0;
    }

    [MemberNotNull(nameof(_keys), nameof(_values))]
    private void Rent(int capacity)
    {
        _keys = ArrayPool<float>.Shared.Rent(checked((int)(GroupsOf(capacity) * PanelKernel.PanelColumns * HeadDim)));
        _values = ArrayPool<float>.Shared.Rent(checked(capacity * ValueStride));
        Capacity = capacity;
    }
}
