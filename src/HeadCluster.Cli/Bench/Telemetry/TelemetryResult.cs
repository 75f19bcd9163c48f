using System.Globalization;
using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Bench.Telemetry;

/// <summary>What one kind of telemetry costs a layer.</summary>
/// <param name="Telemetry">The kind.</param>
/// <param name="Milliseconds">Median time of a request with it.</param>
/// <param name="MillisecondsWithout">Median time of a request without any.</param>
/// <param name="Ratio">With ÷ without, median over pairs.</param>
/// <param name="ProcessorRatio">The same of the time of all threads on processors, which other programs disturb less.</param>
/// <param name="MoreBytes">What a request allocates more, median over pairs.</param>
internal sealed record TelemetryResult(
    string Telemetry, double Milliseconds, double MillisecondsWithout, double Ratio, double ProcessorRatio, double MoreBytes)
{
    public static Table Tabulate(IEnumerable<TelemetryResult> results)
    {
        var table = Tables.Create("telemetry", ">ms with", ">ms without", ">ratio", ">processor ratio", ">more bytes");
        foreach (var result in results)
        {
            table.Add(
                result.Telemetry,
                Text(result.Milliseconds, "0.000"),
                Text(result.MillisecondsWithout, "0.000"),
                Text(result.Ratio, "0.000"),
                Text(result.ProcessorRatio, "0.000"),
                Text(result.MoreBytes, "0"));
        }

        return table;

        static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
    }
}
