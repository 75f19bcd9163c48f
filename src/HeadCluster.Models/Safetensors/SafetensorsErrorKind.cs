namespace HeadCluster.Models;

/// <summary>What is wrong with a safetensors file, or with what was asked of it.</summary>
public enum SafetensorsErrorKind
{
    /// <summary>The file cannot be opened or read.</summary>
    Unreadable,

    /// <summary>The file has no room for the eight bytes of the header's length.</summary>
    HeaderTooSmall,

    /// <summary>The header says it is longer than any header may be.</summary>
    HeaderTooLarge,

    /// <summary>The header says it is longer than the file.</summary>
    InvalidHeaderLength,

    /// <summary>The header is not UTF-8.</summary>
    InvalidHeader,

    /// <summary>The header is not the JSON that the format asks for, or says something twice.</summary>
    InvalidHeaderDeserialization,

    /// <summary>A tensor does not begin where the one before it ends, or ends before it begins.</summary>
    InvalidOffset,

    /// <summary>A tensor's size and its type and shape do not agree.</summary>
    TensorInvalidInfo,

    /// <summary>A tensor of elements smaller than a byte does not fill its last byte.</summary>
    MisalignedSlice,

    /// <summary>A number does not fit in 64 bits.</summary>
    ValidationOverflow,

    /// <summary>The tensors end before or after the end of the file.</summary>
    MetadataIncompleteBuffer,

    /// <summary>No tensor has the name that was asked for.</summary>
    TensorNotFound,

    /// <summary>The tensor's elements cannot be read as float32.</summary>
    NotFloat,

    /// <summary>The tensor has more elements than an array can hold.</summary>
    TooManyElements,

    /// <summary>The file has been written to since it was opened.</summary>
    Changed,
}
