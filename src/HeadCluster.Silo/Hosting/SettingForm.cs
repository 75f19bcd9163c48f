using System.Globalization;
using System.Numerics;
using Microsoft.Extensions.Configuration;

namespace HeadCluster.Silo;

/// <summary>Looks at the form of settings before they are bound, since the binder tells of a wrong one by its .NET type.</summary>
internal static class SettingForm
{
    /// <summary>Checks that a setting is left out, empty, or a whole number that its type holds.</summary>
    /// <exception cref="HeadClusterException">It is not.</exception>
    public static void CheckNumber<T>(IConfiguration configuration, string section, string name)
        where T : IBinaryInteger<T> => Check(
            configuration, section, name, text => T.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _), "a whole number");

    /// <summary>Checks that a setting is left out, empty, or a time with hours, minutes and seconds; a bare number would be days.</summary>
    /// <exception cref="HeadClusterException">It is not.</exception>
    public static void CheckDuration(IConfiguration configuration, string section, string name) => Check(
        configuration,
        section,
        name,
        text => text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out _),
        "hours, minutes and seconds, such as 00:00:05");

    /// <summary>Checks that a setting is left out, empty, or one of some names.</summary>
    /// <exception cref="HeadClusterException">It is not.</exception>
    public static void CheckChoice<T>(IConfiguration configuration, string section, string name)
        where T : struct, Enum => Check(
            configuration,
            section,
            name,
            text => Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase),
            string.Join(", ", Enum.GetNames<T>()[..^1]) + " or " + Enum.GetNames<T>()[^1]);

    /// <summary>Checks that a setting is left out, empty, <c>true</c> or <c>false</c>.</summary>
    /// <exception cref="HeadClusterException">It is not.</exception>
    public static void CheckSwitch(IConfiguration configuration, string section, string name) =>
        Check(configuration, section, name, text => bool.TryParse(text, out _), "true or false");

    private static void Check(IConfiguration configuration, string section, string name, Func<string, bool> isValid, string expected)
    {
        var key = $"{section}:{name}";
        if (configuration[key] is { Length: > 0 } text && !isValid(text))
        {
            throw HeadClusterException.InvalidInput($"{key} is '{text}'; expected {expected}");
        }
    }
}
