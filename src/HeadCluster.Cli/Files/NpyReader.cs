using System.Buffers.Binary;
using System.Text;

namespace HeadCluster.Cli.Files;

/// <summary>Reads a matrix of little-endian floats of 16, 32 or 64 bits, the last rounded to float32.</summary>
internal static class NpyReader
{
    private const int RunElements = 1 << 14;

    /// <summary>Reads a file; every byte of it must be accounted for.</summary>
    /// <exception cref="HeadCluster.Models.ModelException">The file cannot be read or does not hold a matrix of floats.</exception>
    public static FloatTensor Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var header = ReadHeader(path, file);
            var width = ElementBytes(path, header);
            var elements = Math.BigMul(header.Shape[0], header.Shape[1]);
            var bytes = file.Length - file.Position;
            if (elements > FloatTensor.MaxLength)
            {
                throw NpyFormat.Malformed(
                    path,
                    $"the shape {FloatTensor.Describe(header.Shape)} has {elements} elements; a tensor holds at most {FloatTensor.MaxLength}");
            }

            if (elements * width != bytes)
            {
                throw NpyFormat.Malformed(
                    path,
                    $"{bytes} bytes follow its header; the shape {FloatTensor.Describe(header.Shape)} of '{header.Type}' takes {elements * width}"
                    + (bytes < elements * width ? "; is it truncated?" : ""));
            }

            return new FloatTensor(ReadElements(file, (int)elements, width), header.Shape);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NpyFormat.Malformed(path, $"cannot be read: {error.Message}");
        }
    }

    private static NpyHeader ReadHeader(string path, FileStream file)
    {
        Span<byte> prefix = stackalloc byte[NpyFormat.PrefixV2];
        var read = file.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
        if (read < NpyFormat.PrefixV1 || !prefix.StartsWith(NpyFormat.Magic))
        {
            throw NpyFormat.Malformed(path, "is not a .npy file");
        }

        var (start, length) = (prefix[NpyFormat.Magic.Length], read) switch
        {
            (1, _) => (NpyFormat.PrefixV1, BinaryPrimitives.ReadUInt16LittleEndian(prefix[(NpyFormat.PrefixV1 - sizeof(ushort))..])),
            (2 or 3, NpyFormat.PrefixV2) => (NpyFormat.PrefixV2, (long)BinaryPrimitives.ReadUInt32LittleEndian(prefix[(NpyFormat.PrefixV2 - sizeof(uint))..])),
            (var version, _) => throw NpyFormat.Malformed(path, $"is of version {version} of the format or cut off; versions 1 to 3 are understood"),
        };
        if (start + length > file.Length)
        {
            throw NpyFormat.Malformed(path, $"states a header of {length} bytes and ends before; is it truncated?");
        }

        var header = new byte[length];
        file.Position = start;
        file.ReadExactly(header);
        return NpyHeader.Parse(path, Encoding.UTF8.GetString(header));
    }

    private static int ElementBytes(string path, NpyHeader header)
    {
        if (header.Shape.Length != 2)
        {
            throw NpyFormat.Malformed(path, $"the array's shape is {FloatTensor.Describe(header.Shape)}; expected a matrix [rows, width]");
        }

        if (header.ColumnMajor)
        {
            throw NpyFormat.Malformed(path, "is in Fortran order; save numpy.ascontiguousarray of it");
        }

        return header.Type switch
        {
            "<f2" => 2,
            "<f4" => 4,
            "<f8" => 8,
            _ => throw NpyFormat.Malformed(path, $"its elements are '{header.Type}'; expected little-endian floats <f4, <f2 or <f8"),
        };
    }

    private static float[] ReadElements(FileStream file, int count, int width)
    {
        var elements = GC.AllocateUninitializedArray<float>(count);
        var buffer = new byte[RunElements * width];
        for (var first = 0; first < count; first += RunElements)
        {
            var run = elements.AsSpan(first, Math.Min(RunElements, count - first));
            var bytes = buffer.AsSpan(0, run.Length * width);
            file.ReadExactly(bytes);
            for (var i = 0; i < run.Length; i++)
            {
                var element = bytes.Slice(i * width, width);
                run[i] = width switch
                {
                    2 => (float)BinaryPrimitives.ReadHalfLittleEndian(element),
                    4 => BinaryPrimitives.ReadSingleLittleEndian(element),
                    _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(element),
                };
            }
        }

        return elements;
    }
}
