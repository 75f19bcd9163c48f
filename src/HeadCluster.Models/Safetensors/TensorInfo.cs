namespace HeadCluster.Models;

/// <summary>A tensor of a safetensors file, as its header states it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Its dimensions, the last one contiguous; none for a scalar.</param>
/// <param name="Begin">Where its first byte is, from the end of the header.</param>
/// <param name="End">Where the byte after its last one is.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Its elements.</summary>
    public long ElementCount => (End - Begin) * 8 / Type.Bits();
}
