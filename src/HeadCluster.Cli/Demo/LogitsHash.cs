using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HeadCluster.Cli.Demo;

/// <summary>SHA-256 of the bits of logits.</summary>
internal static class LogitsHash
{
    public static string Of(IEnumerable<FloatTensor> logits)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in logits)
        {
            hash.AppendData(MemoryMarshal.AsBytes(tensor.Span));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
