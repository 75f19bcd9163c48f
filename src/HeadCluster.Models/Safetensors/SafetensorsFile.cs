using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace HeadCluster.Models;

/// <summary>
/// A safetensors file, memory-mapped. Opening it reads and checks the header and nothing else; a read touches only the bytes of
/// the elements it returns. Thread-safe. The file must not be shortened while it is open.
/// </summary>
/// <remarks>Layout: length of the header (8 bytes, little-endian), header (JSON), data of the tensors.</remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthBytes = sizeof(ulong);
    private const ulong LongestHeader = 100_000_000;

    // Elements converted at once: small enough that their bytes always fit a span.
    private const int RunElements = 1 << 20;

    // A transposed tile has rows of 16 floats, one cache line, in the destination, and 64 · 16 floats on the stack.
    private const int TileRows = 16;
    private const int TileColumns = 64;

    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;
    private long _bytesRead;

    private SafetensorsFile(string path, MemoryMappedFile mapping, long length)
    {
        Path = path;
        _mapping = mapping;
        _view = mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        try
        {
            (_header, _dataStart) = ReadHeader(length);
        }
        catch
        {
            _view.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors => _header.Tensors;

    /// <summary>What else its header says.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Bytes of tensors that reads have touched since the file was opened.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="SafetensorsException">The file cannot be opened or breaks the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var handle = File.OpenHandle(path);
            var length = RandomAccess.GetLength(handle);
            if (length < LengthBytes)
            {
                throw new SafetensorsException(
                    SafetensorsErrorKind.HeaderTooSmall, $"{path}: has {length} bytes; the length of the header alone takes {LengthBytes}");
            }

            var mapping = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            try
            {
                return new SafetensorsFile(path, mapping, length);
            }
            catch
            {
                mapping.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SafetensorsException(SafetensorsErrorKind.Unreadable, $"{path}: cannot be opened: {error.Message}", error);
        }
    }

    /// <summary>Reads a whole tensor.</summary>
    /// <exception cref="SafetensorsException">There is no such tensor, its elements are no floats or too many for an array.</exception>
    public float[] ReadFloats(string name)
    {
        var tensor = FindFloats(name);
        if (tensor.ElementCount > Array.MaxLength)
        {
            throw new SafetensorsException(
                SafetensorsErrorKind.TooManyElements,
                $"{Path}: tensor {Quote.Text(name)} has {tensor.ElementCount} elements; an array holds {Array.MaxLength}, so read it in parts");
        }

        var floats = GC.AllocateUninitializedArray<float>((int)tensor.ElementCount);
        ReadFloats(name, 0, floats);
        return floats;
    }

    /// <summary>Reads consecutive elements of a tensor, whatever its shape.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">The first element, in row-major order.</param>
    /// <param name="destination">Where they go; its length says how many.</param>
    /// <exception cref="SafetensorsException">There is no such tensor or its elements are no floats.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor does not have these elements.</exception>
    public void ReadFloats(string name, long first, Span<float> destination)
    {
        var tensor = FindFloats(name);
        CheckRange(first, destination.Length, tensor.ElementCount, nameof(first));
        byte* data = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref data);
        try
        {
            Convert(tensor, data, first, destination);
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    /// <summary>Reads a rectangle of a matrix.</summary>
    /// <param name="name">The tensor, of two dimensions.</param>
    /// <param name="slice">The rectangle.</param>
    /// <param name="destination">Where it goes: <c>[Rows, Columns]</c>, or <c>[Columns, Rows]</c> if transposed; row-major.</param>
    /// <param name="transpose">Whether rows become columns.</param>
    /// <exception cref="SafetensorsException">There is no such tensor or its elements are no floats.</exception>
    /// <exception cref="ArgumentException">The tensor is no matrix, does not have the rectangle, or the destination has another size.</exception>
    public void ReadMatrix(string name, MatrixSlice slice, Span<float> destination, bool transpose = false)
    {
        var tensor = FindFloats(name);
        if (tensor.Shape is not [var rows, var columns])
        {
            throw new ArgumentException($"tensor {Quote.Text(name)} of shape {Quote.Shape(tensor.Shape)} is no matrix", nameof(name));
        }

        CheckRange(slice.FirstRow, slice.Rows, rows, nameof(slice));
        CheckRange(slice.FirstColumn, slice.Columns, columns, nameof(slice));
        if (destination.Length != (long)slice.Rows * slice.Columns)
        {
            throw new ArgumentException($"{destination.Length} elements for {slice.Rows} rows of {slice.Columns}", nameof(destination));
        }

        byte* data = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref data);
        try
        {
            if (transpose)
            {
                ReadTransposed(tensor, data, columns, slice, destination);
            }
            else
            {
                ReadRows(tensor, data, columns, slice, destination);
            }
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    /// <summary>Closes the file. What was read stays valid.</summary>
    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
    }

    private static int ElementBytes(TensorInfo tensor) => tensor.Type.Bits() / 8;

    private static void CheckRange(long first, int count, long length, string parameter)
    {
        if (first < 0 || count < 0 || first > length - count)
        {
            throw new ArgumentOutOfRangeException(parameter, $"{count} from {first} on, of {length}");
        }
    }

    private (SafetensorsHeader Header, long DataStart) ReadHeader(long fileLength)
    {
        byte* file = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref file);
        try
        {
            file += _view.PointerOffset;
            var length = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(file, LengthBytes));
            if (length > LongestHeader)
            {
                throw new SafetensorsException(
                    SafetensorsErrorKind.HeaderTooLarge, $"{Path}: the header says it has {length} bytes; {LongestHeader} are the most");
            }

            var dataLength = fileLength - LengthBytes - (long)length;
            if (dataLength < 0)
            {
                throw new SafetensorsException(
                    SafetensorsErrorKind.InvalidHeaderLength,
                    $"{Path}: the header says it has {length} bytes; the file has {fileLength - LengthBytes} left; is it truncated?");
            }

            var json = new ReadOnlySpan<byte>(file + LengthBytes, (int)length);
            return (SafetensorsHeader.Parse(Path, json, dataLength), LengthBytes + (long)length);
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    private TensorInfo FindFloats(string name)
    {
        if (!Tensors.TryGetValue(name, out var tensor))
        {
            throw new SafetensorsException(SafetensorsErrorKind.TensorNotFound, $"{Path}: has no tensor {Quote.Text(name)}");
        }

        return tensor.Type.IsReadable()
            ? tensor
            : throw new SafetensorsException(
                SafetensorsErrorKind.NotFloat, $"{Path}: tensor {Quote.Text(name)} is {tensor.Type}; F32, F16 and BF16 can be read as floats");
    }

    private void ReadRows(TensorInfo tensor, byte* file, long columns, MatrixSlice slice, Span<float> destination)
    {
        for (var row = 0; row < slice.Rows; row++)
        {
            var first = ((slice.FirstRow + row) * columns) + slice.FirstColumn;
            Convert(tensor, file, first, destination.Slice(row * slice.Columns, slice.Columns));
        }
    }

    private void ReadTransposed(TensorInfo tensor, byte* file, long columns, MatrixSlice slice, Span<float> destination)
    {
        Span<float> tile = stackalloc float[TileRows * TileColumns];
        for (var row = 0; row < slice.Rows; row += TileRows)
        {
            var tileRows = Math.Min(TileRows, slice.Rows - row);
            for (var column = 0; column < slice.Columns; column += TileColumns)
            {
                var tileColumns = Math.Min(TileColumns, slice.Columns - column);
                for (var r = 0; r < tileRows; r++)
                {
                    var first = ((slice.FirstRow + row + r) * columns) + slice.FirstColumn + column;
                    Convert(tensor, file, first, tile.Slice(r * TileColumns, tileColumns));
                }

                for (var c = 0; c < tileColumns; c++)
                {
                    var line = destination.Slice(((column + c) * slice.Rows) + row, tileRows);
                    for (var r = 0; r < line.Length; r++)
                    {
                        line[r] = tile[(r * TileColumns) + c];
                    }
                }
            }
        }
    }

    // The only place that touches the data of tensors, and so where it is counted.
    private void Convert(TensorInfo tensor, byte* file, long first, Span<float> destination)
    {
        var elementBytes = ElementBytes(tensor);
        var source = file + _view.PointerOffset + _dataStart + tensor.Begin + (first * elementBytes);
        while (!destination.IsEmpty)
        {
            var run = destination[..Math.Min(RunElements, destination.Length)];
            var bytes = new ReadOnlySpan<byte>(source, run.Length * elementBytes);
            Interlocked.Add(ref _bytesRead, bytes.Length);
            FloatConversion.Convert(tensor.Type, bytes, run);
            source += bytes.Length;
            destination = destination[run.Length..];
        }
    }
}
