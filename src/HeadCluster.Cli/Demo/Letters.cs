namespace HeadCluster.Cli.Demo;

/// <summary>What the shipped model sorts: six of the letters A, B and C, which are its tokens 0, 1 and 2.</summary>
internal static class Letters
{
    /// <summary>How many letters are sorted.</summary>
    public const int Count = 6;

    private const string Alphabet = "ABC";

    public static bool AreValid(string letters) => letters.Length == Count && !letters.AsSpan().ContainsAnyExcept(Alphabet);

    public static int[] ToTokens(string letters) => [.. letters.Select(letter => Alphabet.IndexOf(letter))];

    public static string FromTokens(IEnumerable<int> tokens) => string.Concat(tokens.Select(token => Alphabet[token]));

    public static string Sort(string letters) => string.Concat(letters.Order());
}
