using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>
/// Four logical vectors that go through a function together, each operation applied to all four before the next. A function of
/// a dozen operations, each of which waits for the one before, is longer than what a CPU looks ahead over; four of them
/// side by side keep it busy.
/// </summary>
internal readonly struct Quad
{
    /// <summary>Elements of a quad.</summary>
    public const int Count = 4 * Lanes.Count;

    public readonly Vector512<float> V0;
    public readonly Vector512<float> V1;
    public readonly Vector512<float> V2;
    public readonly Vector512<float> V3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Quad(Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3) => (V0, V1, V2, V3) = (v0, v1, v2, v3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad Load(ref float first, nuint at) => new(
        Vector512.LoadUnsafe(ref first, at),
        Vector512.LoadUnsafe(ref first, at + Lanes.Count),
        Vector512.LoadUnsafe(ref first, at + (2 * Lanes.Count)),
        Vector512.LoadUnsafe(ref first, at + (3 * Lanes.Count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref float first, nuint at)
    {
        V0.StoreUnsafe(ref first, at);
        V1.StoreUnsafe(ref first, at + Lanes.Count);
        V2.StoreUnsafe(ref first, at + (2 * Lanes.Count));
        V3.StoreUnsafe(ref first, at + (3 * Lanes.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad operator -(Quad a, Quad b) => new(a.V0 - b.V0, a.V1 - b.V1, a.V2 - b.V2, a.V3 - b.V3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad operator *(Quad a, Quad b) => new(a.V0 * b.V0, a.V1 * b.V1, a.V2 * b.V2, a.V3 * b.V3);

    /// <summary>a · b + c, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad FusedMultiplyAdd(Quad a, Quad b, Quad c) => new(
        Vector512.FusedMultiplyAdd(a.V0, b.V0, c.V0),
        Vector512.FusedMultiplyAdd(a.V1, b.V1, c.V1),
        Vector512.FusedMultiplyAdd(a.V2, b.V2, c.V2),
        Vector512.FusedMultiplyAdd(a.V3, b.V3, c.V3));

    /// <summary>The same value in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Quad(float value)
    {
        var all = Vector512.Create(value);
        return new Quad(all, all, all, all);
    }
}
