namespace HeadCluster.Models;

/// <summary>How the types are called in a header, and how wide they are.</summary>
internal static class TensorTypes
{
    private static readonly Dictionary<string, TensorType> ByName = new(StringComparer.Ordinal)
    {
        ["BOOL"] = TensorType.Bool,
        ["F4"] = TensorType.F4,
        ["F6_E2M3"] = TensorType.F6E2M3,
        ["F6_E3M2"] = TensorType.F6E3M2,
        ["U8"] = TensorType.U8,
        ["I8"] = TensorType.I8,
        ["F8_E5M2"] = TensorType.F8E5M2,
        ["F8_E4M3"] = TensorType.F8E4M3,
        ["F8_E8M0"] = TensorType.F8E8M0,
        ["I16"] = TensorType.I16,
        ["U16"] = TensorType.U16,
        ["F16"] = TensorType.F16,
        ["BF16"] = TensorType.BF16,
        ["I32"] = TensorType.I32,
        ["U32"] = TensorType.U32,
        ["F32"] = TensorType.F32,
        ["C64"] = TensorType.C64,
        ["F64"] = TensorType.F64,
        ["I64"] = TensorType.I64,
        ["U64"] = TensorType.U64,
    };

    public static bool TryParse(string name, out TensorType type) => ByName.TryGetValue(name, out type);

    public static bool IsReadable(this TensorType type) => type is TensorType.F32 or TensorType.F16 or TensorType.BF16;

    public static int Bits(this TensorType type) => type switch
    {
        TensorType.F4 => 4,
        TensorType.F6E2M3 or TensorType.F6E3M2 => 6,
        TensorType.Bool or TensorType.U8 or TensorType.I8 or TensorType.F8E5M2 or TensorType.F8E4M3 or TensorType.F8E8M0 => 8,
        TensorType.I16 or TensorType.U16 or TensorType.F16 or TensorType.BF16 => 16,
        TensorType.I32 or TensorType.U32 or TensorType.F32 => 32,
        TensorType.C64 or TensorType.F64 or TensorType.I64 or TensorType.U64 => 64,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
