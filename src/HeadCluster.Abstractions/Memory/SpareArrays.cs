using System.Numerics;

namespace HeadCluster.Memory;

/// <summary>
/// Arrays that are used again, by whichever thread comes next. <see cref="System.Buffers.ArrayPool{T}.Shared"/> keeps one of each size
/// for every thread that returned one, which for arrays of megabytes that pass from thread to thread is several times of what is ever
/// in use. Here there are as many as were in use at a time, and those that nobody needed for a while are let go.
/// </summary>
/// <typeparam name="T">The elements.</typeparam>
internal sealed class SpareArrays<T>
{
    // The longest array that is kept; all are as long as a power of two.
    private const int MostLength = 1 << MostBits;
    private const int MostBits = 30;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly Shelf[] _shelves = [.. Enumerable.Range(0, MostBits + 1).Select(_ => new Shelf())];
    private long _lookedThrough;

    public SpareArrays(TimeProvider time)
    {
        _time = time;
        _lookedThrough = time.GetTimestamp();
    }

    /// <summary>Those of this process.</summary>
    public static SpareArrays<T> Shared { get; } = new(TimeProvider.System);

    /// <summary>An array for oneself.</summary>
    /// <param name="length">How long it is at least, 1 or more.</param>
    /// <returns>What it holds is undefined.</returns>
    public T[] Rent(int length)
    {
        LookThrough();
        return length > MostLength
            ? GC.AllocateUninitializedArray<T>(length)
            : ShelfOf(length).Take() ?? GC.AllocateUninitializedArray<T>((int)BitOperations.RoundUpToPowerOf2((uint)length));
    }

    /// <summary>Gives back what <see cref="Rent"/> gave: nobody may use it any more.</summary>
    public void Return(T[] array)
    {
        if (array.Length <= MostLength)
        {
            ShelfOf(array.Length).Put(array);
        }
    }

    private Shelf ShelfOf(int length) => _shelves[BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)length))];

    // Whoever comes by once a period has passed.
    private void LookThrough()
    {
        var last = Volatile.Read(ref _lookedThrough);
        var now = _time.GetTimestamp();
        if (_time.GetElapsedTime(last, now) >= Period && Interlocked.CompareExchange(ref _lookedThrough, now, last) == last)
        {
            foreach (var shelf in _shelves)
            {
                shelf.LetGo();
            }
        }
    }

    /// <summary>Arrays of one length.</summary>
    private sealed class Shelf
    {
        private readonly Lock _lock = new();
        private readonly Stack<T[]> _arrays = [];

        // There were never fewer since the last look.
        private int _idle;

        public T[]? Take()
        {
            lock (_lock)
            {
                _ = _arrays.TryPop(out var array);
                _idle = Math.Min(_idle, _arrays.Count);
                return array;
            }
        }

        public void Put(T[] array)
        {
            lock (_lock)
            {
                _arrays.Push(array);
            }
        }

        public void LetGo()
        {
            lock (_lock)
            {
                for (; _idle > 0; _idle--)
                {
                    _ = _arrays.Pop();
                }

                _idle = _arrays.Count;
            }
        }
    }
}
