using System.CommandLine;
using System.Globalization;

namespace HeadCluster.Cli.Commands;

/// <summary>The option that gives a prompt's token ids, with commas between them.</summary>
internal static class TokenIds
{
    public static Option<int[]> Option() => new("--tokens")
    {
        Description = "The prompt's token ids, such as 1,2,0.",
        HelpName = "ids",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result => Parse(result.Tokens[0].Value, result.AddError),
    };

    private static int[] Parse(string text, Action<string> refuse)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var tokens = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out tokens[i]))
            {
                refuse($"--tokens: '{parts[i]}' is not a token id; expected whole numbers with commas, such as 1,2,0");
                break;
            }
        }

        return tokens;
    }
}
