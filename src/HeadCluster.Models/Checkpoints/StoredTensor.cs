namespace HeadCluster.Models;

/// <summary>A tensor and the file it lies in.</summary>
internal sealed record StoredTensor(SafetensorsFile File, TensorInfo Info)
{
    /// <summary>The whole tensor.</summary>
    public float[] Read() => File.ReadFloats(Info.Name);

    /// <summary>Consecutive elements.</summary>
    public float[] Read(long first, int count)
    {
        var floats = GC.AllocateUninitializedArray<float>(count);
        File.ReadFloats(Info.Name, first, floats);
        return floats;
    }

    /// <summary>A rectangle <c>[Rows, Columns]</c>, or <c>[Columns, Rows]</c> if transposed.</summary>
    public void Read(MatrixSlice slice, Span<float> destination, bool transpose) => File.ReadMatrix(Info.Name, slice, destination, transpose);
}
