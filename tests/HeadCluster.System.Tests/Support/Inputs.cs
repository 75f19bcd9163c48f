using System.Buffers.Binary;
using System.Text;
using HeadCluster.Cli.Files;

namespace HeadCluster.System.Tests;

/// <summary>Inputs for the shipped model: 48 wide, at most 11 rows.</summary>
internal static class Inputs
{
    public const string Model = "nano-gpt";
    public const int Width = 48;

    /// <summary>Rows of numbers that differ.</summary>
    public static FloatTensor Matrix(int rows, int columns = Width)
    {
        var random = new Random(rows);
        return new FloatTensor([.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.5))], rows, columns);
    }

    /// <summary>Writes such rows to a file.</summary>
    public static string Write(string path, int rows, int columns = Width)
    {
        MatrixFile.Write(path, Matrix(rows, columns));
        return path;
    }

    /// <summary>The bytes of a .npy file with any header and any elements.</summary>
    public static byte[] Npy(string header, byte[] elements, byte version = 1)
    {
        var text = Encoding.UTF8.GetBytes(header + "\n");
        var length = new byte[version == 1 ? sizeof(ushort) : sizeof(uint)];
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)text.Length);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)text.Length);
        }

        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. elements];
    }
}
