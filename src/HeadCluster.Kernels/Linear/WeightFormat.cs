using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace HeadCluster.Kernels;

/// <summary>How a weight is stored. Each one is a float32 exactly, so that a product has the same bits in every format that holds its weights.</summary>
public enum WeightFormat
{
    /// <summary>IEEE binary32: 4 bytes a weight.</summary>
    Float32,

    /// <summary>The upper half of a binary32: 2 bytes a weight.</summary>
    BFloat16,

    /// <summary>IEEE binary16: 2 bytes a weight.</summary>
    Float16,
}

/// <summary>Reads weights as they are stored.</summary>
/// <typeparam name="TStored">What a weight is stored as.</typeparam>
internal interface IWeightFormat<TStored>
    where TStored : unmanaged
{
    /// <summary>The 16 weights from <paramref name="index"/> on.</summary>
    static abstract Vector512<float> Load(ref readonly TStored first, nuint index);

    /// <summary>Whether reading costs so much more than reading a float32 that weights for several tiles are read once for all.</summary>
    static abstract bool IsCostly { get; }
}

/// <summary>Reads and writes weights as they are stored.</summary>
/// <typeparam name="TStored">What a weight is stored as.</typeparam>
internal interface IPackedFormat<TStored> : IWeightFormat<TStored>
    where TStored : unmanaged
{
    /// <summary>Converts a weight to be stored; false if it is not exactly one of this format.</summary>
    static abstract bool TryStore(float weight, out TStored stored);
}

/// <summary><see cref="WeightFormat.Float32"/></summary>
internal readonly struct Float32Weights : IPackedFormat<float>
{
    public static bool IsCostly => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref readonly float first, nuint index) => Vector512.LoadUnsafe(in first, index);

    public static bool TryStore(float weight, out float stored)
    {
        stored = weight;
        return true;
    }
}

/// <summary><see cref="WeightFormat.BFloat16"/></summary>
internal readonly struct BFloat16Weights : IPackedFormat<ushort>
{
    public static bool IsCostly => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref readonly ushort first, nuint index) =>
        (Vector512.WidenLower(Vector256.LoadUnsafe(in first, index).ToVector512Unsafe()) << 16).AsSingle();

    public static bool TryStore(float weight, out ushort stored)
    {
        var bits = BitConverter.SingleToUInt32Bits(weight);
        stored = (ushort)(bits >> 16);
        return (bits & 0xFFFF) == 0;
    }
}

/// <summary><see cref="WeightFormat.Float16"/>, any value.</summary>
internal readonly struct Float16Weights : IPackedFormat<ushort>
{
    public static bool IsCostly => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref readonly ushort first, nuint index)
    {
        // Infinities and NaN have the largest exponent in both formats.
        var bits = FiniteFloat16Weights.Scaled(in first, index);
        var exponent = Vector512.Create(0x0F800000u);
        var special = Vector512.Equals(bits & exponent, exponent) & Vector512.Create(0x7F800000u);
        return (FiniteFloat16Weights.Value(bits).AsUInt32() | special).AsSingle();
    }

    public static bool TryStore(float weight, out ushort stored)
    {
        var half = (Half)weight;
        stored = BitConverter.HalfToUInt16Bits(half);
        return BitConverter.SingleToUInt32Bits((float)half) == BitConverter.SingleToUInt32Bits(weight);
    }
}

/// <summary>
/// <see cref="WeightFormat.Float16"/> without infinities and NaN, as nearly all weights are: half of the operations, which for a row
/// alone are what takes longest. They are packed as <see cref="Float16Weights"/>.
/// </summary>
internal readonly struct FiniteFloat16Weights : IWeightFormat<ushort>
{
    public static bool IsCostly => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref readonly ushort first, nuint index) => Value(Scaled(in first, index));

    /// <summary>
    /// Sign, exponent and digits moved to their places in a binary32, where they stand for the value times 2⁻¹¹², denormals included.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<uint> Scaled(ref readonly ushort first, nuint index)
    {
        var extended = Vector512.WidenLower(Vector256.LoadUnsafe(in first, index).ToVector512Unsafe().AsInt16()).AsUInt32();
        return (extended << 13) & Vector512.Create(0x8FFFE000u);
    }

    // The product is exact.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Value(Vector512<uint> scaled) => scaled.AsSingle() * Vector512.Create(5.192296858534828e+33f);
}
