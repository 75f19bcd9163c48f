using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace HeadCluster.Cli.Files;

/// <summary>Writes a matrix as little-endian float32, version 1 of the format.</summary>
internal static class NpyWriter
{
    private const int RunElements = 1 << 14;

    /// <summary>Writes a file, or writes over it.</summary>
    public static void Write(string path, FloatTensor matrix)
    {
        var header = string.Create(
            CultureInfo.InvariantCulture,
            $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({matrix.Rows}, {matrix.Columns}), }}");

        // Blanks and a line feed, by which the header ends at a multiple of the alignment.
        var length = NpyFormat.PrefixV1 + header.Length + 1;
        var padding = (NpyFormat.Alignment - (length % NpyFormat.Alignment)) % NpyFormat.Alignment;
        header += new string(' ', padding) + '\n';

        using var file = File.Create(path);
        file.Write(NpyFormat.Magic);
        Span<byte> version = [1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(version[2..], (ushort)header.Length);
        file.Write(version);
        file.Write(Encoding.ASCII.GetBytes(header));
        WriteElements(file, matrix.Span);
    }

    private static void WriteElements(FileStream file, ReadOnlySpan<float> elements)
    {
        var buffer = new byte[RunElements * sizeof(float)];
        while (!elements.IsEmpty)
        {
            var run = elements[..Math.Min(RunElements, elements.Length)];
            for (var i = 0; i < run.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(buffer.AsSpan(i * sizeof(float)), run[i]);
            }

            file.Write(buffer, 0, run.Length * sizeof(float));
            elements = elements[run.Length..];
        }
    }
}
