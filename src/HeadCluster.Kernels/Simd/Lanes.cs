using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// The one vector shape that kernels are written in: 16 logical float32 lanes. <see cref="Vector512{T}"/> is one register with
/// AVX-512, two with AVX2, four with NEON or SSE and plain scalars without a vector unit, always with the same bits, because no
/// kernel lets a value cross lanes except through the fixed trees here.
/// </summary>
internal static class Lanes
{
    /// <summary>Logical lanes of a vector, on every CPU.</summary>
    public const int Count = 16;

    /// <summary>The smallest multiple of <see cref="Count"/> that is at least <paramref name="length"/>.</summary>
    public static int RoundUp(int length) => checked(length + Count - 1) & ~(Count - 1);

    /// <summary>Loads up to 16 elements from <paramref name="index"/> on; lanes beyond the last one hold <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ReadOnlySpan<float> source, int index, float fill) =>
        source.Length - index >= Count
            ? Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(source), (nuint)index)
            : LoadPartial(source[index..], fill);

    /// <summary>Stores up to 16 lanes from <paramref name="index"/> on; lanes beyond the last element are dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, Span<float> destination, int index)
    {
        if (destination.Length - index >= Count)
        {
            value.StoreUnsafe(ref MemoryMarshal.GetReference(destination), (nuint)index);
        }
        else
        {
            StorePartial(value, destination[index..]);
        }
    }

    /// <summary>The same vector but for one lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> With(Vector512<float> vector, int lane, float value) =>
        Vector512.ConditionalSelect(Vector512.Equals(Vector512<int>.Indices, Vector512.Create(lane)).AsSingle(), Vector512.Create(value), vector);

    /// <summary>The sum over all lanes by one fixed tree: lane i + lane i+8, then i+4, i+2, i+1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumTree(Vector512<float> value)
    {
        var eight = value.GetLower() + value.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The largest lane; NaN if any lane is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> value)
    {
        var eight = Vector256.Max(value.GetLower(), value.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[2]), MathF.Max(four[1], four[3]));
    }

    /// <summary>The largest lane, none of which is NaN. A zero's sign is the CPU's choice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxOfNumbers(Vector512<float> value)
    {
        var eight = Vector256.MaxNative(value.GetLower(), value.GetUpper());
        var four = Vector128.MaxNative(eight.GetLower(), eight.GetUpper());
        var two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2)))[0];
    }

    /// <summary>The smallest lane, none of which is NaN. A zero's sign is the CPU's choice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MinOfNumbers(Vector512<float> value) => -MaxOfNumbers(-value);

    private static void StorePartial(Vector512<float> value, Span<float> destination)
    {
        Span<float> lanes = stackalloc float[Count];
        value.CopyTo(lanes);
        lanes[..destination.Length].CopyTo(destination);
    }

    private static Vector512<float> LoadPartial(ReadOnlySpan<float> source, float fill)
    {
        Span<float> lanes = stackalloc float[Count];
        lanes.Fill(fill);
        source.CopyTo(lanes);
        return Vector512.Create<float>(lanes);
    }
}
