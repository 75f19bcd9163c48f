using System.Buffers;

namespace HeadCluster.Kernels;

/// <summary>
/// Keys and values of one key/value head, as attention reads them. Keys stand dimension-major in groups of 16, so that lanes
/// run over keys; values stand row-major, so that lanes run over their elements.
/// </summary>
/// <remarks>
/// Layout: <c>keys[ceil(Capacity / 16)][HeadDim][16]</c>, <c>values[Capacity][ceil(ValueDim / 16) · 16]</c>. What lies beyond
/// the last key or a value's last element is undefined, and lanes keep it apart. Not thread-safe. The memory is pooled:
/// dispose it.
/// </remarks>
public sealed class KvCache : IDisposable
{
    private float[] _keys;
    private float[] _values;

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
        Capacity = capacity;
        _keys = ArrayPool<float>.Shared.Rent(checked(Lanes.RoundUp(capacity) * headDim));
        _values = ArrayPool<float>.Shared.Rent(checked(capacity * ValueStride));
    }

    /// <summary>Elements of a key.</summary>
    public int HeadDim { get; }

    /// <summary>Elements of a value.</summary>
    public int ValueDim { get; }

    /// <summary>Positions it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Positions it holds.</summary>
    public int Length { get; private set; }

    /// <summary>Elements from one value to the next.</summary>
    internal int ValueStride { get; }

    /// <summary>The keys 16·<paramref name="group"/> … +15, <c>[HeadDim, 16]</c>.</summary>
    internal ReadOnlySpan<float> KeyGroup(int group) => _keys.AsSpan(group * HeadDim * Lanes.Count, HeadDim * Lanes.Count);

    /// <summary>The values from <paramref name="position"/> on, <see cref="ValueStride"/> elements each.</summary>
    internal ReadOnlySpan<float> ValuesFrom(int position) => _values.AsSpan(position * ValueStride, (Length - position) * ValueStride);

    /// <summary>Appends keys and values of the next positions.</summary>
    /// <param name="keys">Row r is <c>keys[r·keyStride …]</c>, HeadDim long.</param>
    /// <param name="keyStride">Elements from one key to the next.</param>
    /// <param name="values">Row r is <c>values[r·valueStride …]</c>, ValueDim long.</param>
    /// <param name="valueStride">Elements from one value to the next.</param>
    /// <param name="rows">How many.</param>
    /// <exception cref="InvalidOperationException">They do not fit the capacity; nothing was appended.</exception>
    public void Append(ReadOnlySpan<float> keys, int keyStride, ReadOnlySpan<float> values, int valueStride, int rows)
    {
        ObjectDisposedException.ThrowIf(_keys.Length == 0 && Capacity > 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (rows > Capacity - Length)
        {
            throw new InvalidOperationException($"{rows} more positions do not fit: {Length} of {Capacity} are taken");
        }

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
            var (group, lane) = Math.DivRem(Length + row, Lanes.Count);
            var key = keys.Slice(row * keyStride, HeadDim);
            var column = _keys.AsSpan((group * HeadDim * Lanes.Count) + lane);
            for (var d = 0; d < key.Length; d++)
            {
                column[d * Lanes.Count] = key[d];
            }

            values.Slice(row * valueStride, ValueDim).CopyTo(_values.AsSpan((Length + row) * ValueStride));
        }

        Length += rows;
    }

    /// <summary>Forgets all positions and keeps the memory.</summary>
    public void Clear() => Length = 0;

    /// <summary>Gives the memory back; the cache holds nothing afterwards.</summary>
    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_keys);
        ArrayPool<float>.Shared.Return(_values);
        _keys = _values = [];
        Length = 0;
    }
}
