using System.Globalization;

namespace HeadCluster.Cli.Output;

/// <summary>Numbers as text.</summary>
internal static class Numbers
{
    public static string Text(this int value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Text(this long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time in microseconds.</summary>
    public static string Microseconds(this double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>A time in milliseconds.</summary>
    public static string Milliseconds(this TimeSpan value) => value.TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>A share of one as per cent.</summary>
    public static string Percent(this double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";
}
