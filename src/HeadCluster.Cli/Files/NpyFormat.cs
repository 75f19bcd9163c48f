using HeadCluster.Models;

namespace HeadCluster.Cli.Files;

/// <summary>
/// The .npy format of NumPy (NEP 1): magic, version, length of the header, the header as the text of a Python dictionary, then
/// the elements.
/// </summary>
internal static class NpyFormat
{
    /// <summary>The header ends at a multiple of this, so that whoever maps the file finds the elements aligned.</summary>
    public const int Alignment = 64;

    /// <summary>What a file begins with.</summary>
    public static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Bytes before the header of version 1: magic, two of version, two of length.</summary>
    public const int PrefixV1 = 10;

    /// <summary>Bytes before the header of versions 2 and 3: magic, two of version, four of length.</summary>
    public const int PrefixV2 = 12;

    /// <summary>The error of a file that is not as it should be.</summary>
    public static ModelException Malformed(string path, string what) => new($"{path}: {what}");
}
