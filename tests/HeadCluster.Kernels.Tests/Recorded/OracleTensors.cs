using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using HeadCluster.Tests;

namespace HeadCluster.Kernels.Tests.Recorded;

/// <summary>
/// What PyTorch computed for the shipped model, which every checkout has: float32 tensors of a safetensors file, a JSON header
/// behind its length in 8 bytes, then the data.
/// </summary>
internal sealed class OracleTensors
{
    private readonly byte[] _file = File.ReadAllBytes(Repository.Find("samples", "nano-gpt", "oracle", "oracle.safetensors"));
    private readonly JsonDocument _header;
    private readonly int _data;

    public OracleTensors()
    {
        var length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_file));
        _header = JsonDocument.Parse(_file.AsMemory(sizeof(ulong), length));
        _data = sizeof(ulong) + length;
    }

    /// <summary>A tensor, row-major.</summary>
    public ReadOnlySpan<float> this[string name]
    {
        get
        {
            var offsets = _header.RootElement.GetProperty(name).GetProperty("data_offsets");
            return MemoryMarshal.Cast<byte, float>(_file.AsSpan(_data)[offsets[0].GetInt32()..offsets[1].GetInt32()]);
        }
    }
}
