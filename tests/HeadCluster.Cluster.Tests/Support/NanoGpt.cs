using System.Security.Cryptography;
using HeadCluster.Models;

namespace HeadCluster.Tests;

/// <summary>The shipped model, and all that it can be asked.</summary>
internal static class NanoGpt
{
    public const string Name = "nano-gpt";

    public const int Letters = 3;

    /// <summary>Letters of an input.</summary>
    public const int InputLength = 6;

    /// <summary>The six letters and the first five of the answer: all positions of the model.</summary>
    public const int FullLength = 11;

    public static (string Name, string Path) Model { get; } = (Name, Directory);

    public static string Directory => Repository.Find("samples", "nano-gpt");

    public static Model Open() => ModelLocation.Open(Directory);

    /// <summary>All 3⁶ = 729 inputs.</summary>
    public static IEnumerable<int[]> AllInputs()
    {
        for (var number = 0; number < 729; number++)
        {
            var input = new int[InputLength];
            for (int i = 0, rest = number; i < input.Length; i++, rest /= Letters)
            {
                input[i] = rest % Letters;
            }

            yield return input;
        }
    }

    /// <summary>An input followed by the first five letters of its answer.</summary>
    public static int[] WithAnswer(int[] input) => [.. input, .. input.Order().Take(FullLength - InputLength)];

    /// <summary>Every input with its answer in one request, <c>[729 · 11]</c> tokens.</summary>
    public static ForwardRequest AllAtOnce() => new(
        [.. AllInputs().SelectMany(WithAnswer)],
        [.. Enumerable.Repeat(FullLength, 729)]);

    /// <summary>SHA-256 of the bits of some logits.</summary>
    public static string Hash(ReadOnlySpan<float> logits) =>
        Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(logits)));
}
