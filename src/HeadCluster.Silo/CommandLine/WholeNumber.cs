using System.CommandLine;
using System.Globalization;

namespace HeadCluster.Silo.CommandLine;

/// <summary>Options that are whole numbers, and say so of a text that is none.</summary>
internal static class WholeNumber
{
    /// <summary>An option; whether its number is in range is for whoever reads it to say.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="expected">The range, for the message.</param>
    public static Option<int> Option(string name, string expected) => new(name)
    {
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            {
                result.AddError($"{name}: '{text}' is not a whole number; expected {expected}");
            }

            return number;
        },
    };
}
