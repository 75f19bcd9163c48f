using System.Buffers;
using HeadCluster.Memory;

namespace HeadCluster.Transport;

/// <summary>Memory of connections: blocks of what is received, and whole messages on their way out.</summary>
internal sealed class SpareBlocks : MemoryPool<byte>
{
    private const int UsualBytes = 4096;

    /// <summary>Those of this process.</summary>
    public static new SpareBlocks Shared { get; } = new();

    /// <inheritdoc/>
    public override int MaxBufferSize => Array.MaxLength;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minBufferSize, -1);
        return new Block(SpareArrays<byte>.Shared.Rent(minBufferSize > 0 ? minBufferSize : UsualBytes));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(byte[] array) : IMemoryOwner<byte>
    {
        private byte[]? _array = array;

        public Memory<byte> Memory => _array ?? throw new ObjectDisposedException(nameof(Block));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _array, null) is { } array)
            {
                SpareArrays<byte>.Shared.Return(array);
            }
        }
    }
}
