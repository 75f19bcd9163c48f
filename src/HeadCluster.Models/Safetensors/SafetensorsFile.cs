using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HeadCluster.Models;

/// <summary>
/// A safetensors file. Opening it reads and checks the header and nothing else; a read takes the elements that it returns, and
/// refuses a file that has been written to since it was opened. Thread-safe.
/// </summary>
/// <remarks>
/// Layout: length of the header (8 bytes, little-endian), header (JSON), data of the tensors. The file is read and not mapped: to
/// touch a mapped page that a shortened file has lost ends the process.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private const int LengthBytes = sizeof(ulong);
    private const ulong LongestHeader = 100_000_000;

    // Elements read at once. Those of half precision pass through a buffer, which then stays in a core's cache.
    private const int RunElements = 1 << 15;

    // A transposed tile writes 16 floats, one cache line, to each row of the destination, and reads enough of each row of the file
    // to be worth a call of the system. Its rows lie one line more apart, so that those of a column do not share a set of the cache.
    private const int TileRows = 16;
    private const int TileColumns = 1024;
    private const int TileStride = TileColumns + 16;

    private readonly SafeFileHandle _file;
    private readonly bool _ofWeights;
    private readonly (long Length, DateTime Written) _opened;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;
    private long _bytesRead;

    private SafetensorsFile(string path, SafeFileHandle file, bool ofWeights)
    {
        Path = path;
        _file = file;
        _ofWeights = ofWeights;
        _opened = State();
        (_header, _dataStart) = ReadHeader();
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
    public static SafetensorsFile Open(string path) => Open(path, ofWeights: false);

    /// <summary>Opens a file of a checkpoint. Reads refuse a NaN or infinity: every result would be one, or blame its caller.</summary>
    /// <exception cref="SafetensorsException">The file cannot be opened or breaks the format.</exception>
    internal static SafetensorsFile OpenWeights(string path) => Open(path, ofWeights: true);

    /// <summary>Reads a whole tensor.</summary>
    /// <exception cref="SafetensorsException">
    /// There is no such tensor, its elements are no floats or too many for an array, or the file has changed or cannot be read.
    /// </exception>
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
    /// <exception cref="SafetensorsException">
    /// There is no such tensor, its elements are no floats, or the file has changed or cannot be read.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor does not have these elements.</exception>
    public void ReadFloats(string name, long first, Span<float> destination)
    {
        var tensor = FindFloats(name);
        CheckRange(first, destination.Length, tensor.ElementCount, nameof(first));
        var halves = RentHalves(tensor, destination.Length);
        try
        {
            ReadRun(tensor, first, destination, halves);
            ExpectUnchanged();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(halves);
        }
    }

    /// <summary>Reads a rectangle of a matrix.</summary>
    /// <param name="name">The tensor, of two dimensions.</param>
    /// <param name="slice">The rectangle.</param>
    /// <param name="destination">Where it goes: <c>[Rows, Columns]</c>, or <c>[Columns, Rows]</c> if transposed; row-major.</param>
    /// <param name="transpose">Whether rows become columns.</param>
    /// <exception cref="SafetensorsException">
    /// There is no such tensor, its elements are no floats, or the file has changed or cannot be read.
    /// </exception>
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

        var halves = RentHalves(tensor, destination.Length);
        try
        {
            if (transpose)
            {
                ReadTransposed(tensor, columns, slice, destination, halves);
            }
            else
            {
                ReadRows(tensor, columns, slice, destination, halves);
            }

            ExpectUnchanged();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(halves);
        }
    }

    /// <summary>Closes the file. What was read stays valid.</summary>
    public void Dispose() => _file.Dispose();

    private static SafetensorsFile Open(string path, bool ofWeights)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var file = File.OpenHandle(path);
            try
            {
                return new SafetensorsFile(path, file, ofWeights);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SafetensorsException(SafetensorsErrorKind.Unreadable, $"{path}: cannot be opened: {error.Message}", error);
        }
    }

    private static int ElementBytes(TensorInfo tensor) => tensor.Type.Bits() / 8;

    // Room for the bytes of elements that are not read where they will stay.
    private static byte[] RentHalves(TensorInfo tensor, int elements) =>
        tensor.Type == TensorType.F32 ? [] : ArrayPool<byte>.Shared.Rent(Math.Min(elements, RunElements) * ElementBytes(tensor));

    private static void CheckRange(long first, int count, long length, string parameter)
    {
        if (first < 0 || count < 0 || first > length - count)
        {
            throw new ArgumentOutOfRangeException(parameter, $"{count} from {first} on, of {length}");
        }
    }

    // What a file that is written to does not keep.
    private (long Length, DateTime Written) State() => (RandomAccess.GetLength(_file), File.GetLastWriteTimeUtc(_file));

    private (SafetensorsHeader Header, long DataStart) ReadHeader()
    {
        var fileLength = _opened.Length;
        if (fileLength < LengthBytes)
        {
            throw new SafetensorsException(
                SafetensorsErrorKind.HeaderTooSmall, $"{Path}: has {fileLength} bytes; the length of the header alone takes {LengthBytes}");
        }

        Span<byte> start = stackalloc byte[LengthBytes];
        ReadBytes(0, start);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
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

        var json = new byte[length];
        ReadBytes(LengthBytes, json);
        return (SafetensorsHeader.Parse(Path, json, dataLength), LengthBytes + (long)length);
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

    private void ReadRows(TensorInfo tensor, long columns, MatrixSlice slice, Span<float> destination, byte[] halves)
    {
        if (slice.Columns == columns)
        {
            ReadRun(tensor, slice.FirstRow * columns, destination, halves);
            return;
        }

        FetchRows(tensor, columns, slice);
        for (var row = 0; row < slice.Rows; row++)
        {
            var first = ((slice.FirstRow + row) * columns) + slice.FirstColumn;
            ReadRun(tensor, first, destination.Slice(row * slice.Columns, slice.Columns), halves);
        }
    }

    // They are read in pieces, which a disk is slow to give one by one.
    private void FetchRows(TensorInfo tensor, long columns, MatrixSlice slice)
    {
        var rowBytes = columns * ElementBytes(tensor);
        ReadAhead.Begin(_file, _dataStart + tensor.Begin + (slice.FirstRow * rowBytes), slice.Rows * rowBytes);
    }

    private void ReadTransposed(TensorInfo tensor, long columns, MatrixSlice slice, Span<float> destination, byte[] halves)
    {
        FetchRows(tensor, columns, slice);
        var tile = ArrayPool<float>.Shared.Rent(TileRows * TileStride);
        for (var row = 0; row < slice.Rows; row += TileRows)
        {
            var tileRows = Math.Min(TileRows, slice.Rows - row);
            for (var column = 0; column < slice.Columns; column += TileColumns)
            {
                var tileColumns = Math.Min(TileColumns, slice.Columns - column);
                for (var r = 0; r < tileRows; r++)
                {
                    var first = ((slice.FirstRow + row + r) * columns) + slice.FirstColumn + column;
                    ReadRun(tensor, first, tile.AsSpan(r * TileStride, tileColumns), halves);
                }

                for (var c = 0; c < tileColumns; c++)
                {
                    var line = destination.Slice(((column + c) * slice.Rows) + row, tileRows);
                    for (var r = 0; r < line.Length; r++)
                    {
                        line[r] = tile[(r * TileStride) + c];
                    }
                }
            }
        }

        ArrayPool<float>.Shared.Return(tile);
    }

    // The only place that reads the data of tensors, and so where it is counted.
    private void ReadRun(TensorInfo tensor, long first, Span<float> destination, byte[] halves)
    {
        var elementBytes = ElementBytes(tensor);
        var at = _dataStart + tensor.Begin + (first * elementBytes);
        while (!destination.IsEmpty)
        {
            var run = destination[..Math.Min(RunElements, destination.Length)];
            var bytes = tensor.Type == TensorType.F32 ? MemoryMarshal.AsBytes(run) : halves.AsSpan(0, run.Length * elementBytes);
            ReadBytes(at, bytes);
            Interlocked.Add(ref _bytesRead, bytes.Length);
            FloatConversion.Convert(tensor.Type, bytes, run);
            if (_ofWeights && NonFinite.First(run) is { } value)
            {
                throw new ModelException(string.Create(
                    CultureInfo.InvariantCulture, $"{Path}: tensor {Quote.Text(tensor.Name)} holds {value}; expected finite weights"));
            }

            at += bytes.Length;
            destination = destination[run.Length..];
        }
    }

    private void ReadBytes(long at, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                var count = RandomAccess.Read(_file, destination, at);
                if (count == 0)
                {
                    throw Changed();
                }

                at += count;
                destination = destination[count..];
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(error);
        }
    }

    // After reading, so that no write before or during it goes unseen.
    private void ExpectUnchanged()
    {
        try
        {
            if (State() != _opened)
            {
                throw Changed();
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(error);
        }
    }

    private SafetensorsException Unreadable(Exception error) =>
        new(SafetensorsErrorKind.Unreadable, $"{Path}: cannot be read: {error.Message}", error);

    private SafetensorsException Changed() => new(
        SafetensorsErrorKind.Changed,
        $"{Path}: has changed since it was opened; restart the silos, and stop all before the first starts, so that weights of before and after do not mix");
}
