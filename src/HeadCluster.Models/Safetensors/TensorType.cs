namespace HeadCluster.Models;

/// <summary>Element types of the safetensors format. <see cref="F32"/>, <see cref="F16"/> and <see cref="BF16"/> can be read.</summary>
public enum TensorType
{
    /// <summary>A truth value in a byte.</summary>
    Bool,

    /// <summary>A float of 4 bits.</summary>
    F4,

    /// <summary>A float of 6 bits, 2 of them exponent.</summary>
    F6E2M3,

    /// <summary>A float of 6 bits, 3 of them exponent.</summary>
    F6E3M2,

    /// <summary>An unsigned integer of 8 bits.</summary>
    U8,

    /// <summary>A signed integer of 8 bits.</summary>
    I8,

    /// <summary>A float of 8 bits, 5 of them exponent.</summary>
    F8E5M2,

    /// <summary>A float of 8 bits, 4 of them exponent.</summary>
    F8E4M3,

    /// <summary>A power of two in 8 bits.</summary>
    F8E8M0,

    /// <summary>A signed integer of 16 bits.</summary>
    I16,

    /// <summary>An unsigned integer of 16 bits.</summary>
    U16,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of an IEEE 754 binary32.</summary>
    BF16,

    /// <summary>A signed integer of 32 bits.</summary>
    I32,

    /// <summary>An unsigned integer of 32 bits.</summary>
    U32,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>Two binary32: a complex number.</summary>
    C64,

    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>A signed integer of 64 bits.</summary>
    I64,

    /// <summary>An unsigned integer of 64 bits.</summary>
    U64,
}
