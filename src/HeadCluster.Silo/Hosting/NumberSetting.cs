using System.Globalization;
using System.Numerics;
using Microsoft.Extensions.Configuration;

namespace HeadCluster.Silo;

/// <summary>Looks at settings that are whole numbers before they are bound, since the binder tells of a wrong one by its .NET type.</summary>
internal static class NumberSetting
{
    /// <summary>Checks that a setting is left out, empty, or a whole number that its type holds.</summary>
    /// <exception cref="HeadClusterException">It is not.</exception>
    public static void Check<T>(IConfiguration configuration, string section, string name)
        where T : IBinaryInteger<T>
    {
        var key = $"{section}:{name}";
        if (configuration[key] is { Length: > 0 } text && !T.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _))
        {
            throw HeadClusterException.InvalidInput($"{key} is '{text}'; expected a whole number");
        }
    }
}
