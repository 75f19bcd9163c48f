using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace HeadCluster.Grains;

/// <summary>Checks tokens at the edge of a transformer, before any memory is allocated for them.</summary>
internal static class TokenInput
{
    /// <summary>Checks that there are tokens, that their sequences fit the model's positions, and that the model knows each.</summary>
    /// <exception cref="HeadClusterException">Something is not as expected.</exception>
    public static void Check(string model, [NotNull] int[]? tokens, ReadOnlySpan<int> sequenceLengths, int maxSequenceLength, int vocabularySize)
    {
        if (tokens is null or [])
        {
            throw Invalid($"model '{model}': there are no tokens; expected 1 to {maxSequenceLength}");
        }

        SequenceLengths.Check($"model '{model}'", sequenceLengths, tokens.Length, maxSequenceLength);
        for (var i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] >= (uint)vocabularySize)
            {
                throw Invalid($"model '{model}': token {tokens[i]} at {i} is not in its vocabulary; expected 0 to {vocabularySize - 1}");
            }
        }
    }

    private static HeadClusterException Invalid(FormattableString message) =>
        HeadClusterException.InvalidInput(message.ToString(CultureInfo.InvariantCulture));
}
