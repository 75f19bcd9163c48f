using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Bench;

/// <summary>One line of the report: one layer.</summary>
/// <param name="Rows">Rows of x.</param>
/// <param name="ModelDim">Width.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Silos">Silos that they were spread over.</param>
/// <param name="Threads">Compute threads of each silo.</param>
/// <param name="Milliseconds">Median time of a request, from the silo of the coordinator.</param>
/// <param name="OneSiloMilliseconds">The same on one such silo.</param>
/// <param name="Speedup">Median over rounds of one silo ÷ several.</param>
/// <param name="WireBytes">Bytes that a request sent between the silos, counted at the sockets; null where the system does not tell.</param>
/// <param name="IdealWireBytes">x once to each remote silo, and z of the heads there, in bytes.</param>
/// <param name="WireRatio">The first ÷ the second.</param>
/// <param name="TransferShare">Median share of a request's time that passed on the way to the slowest remote silo and back.</param>
/// <param name="PlainMilliseconds">Median time of a plain loop with the same kernels, weights and threads as one silo.</param>
/// <param name="ActorTax">Median over rounds of the grains of one silo ÷ the plain loop.</param>
/// <param name="EmptyFanOutMilliseconds">Median time of as many calls on one silo that compute nothing.</param>
/// <param name="EmptyFanOutRatio">The grains of one silo ÷ (the calls + the plain loop), of medians.</param>
/// <param name="Sha256">Of the output's bits: the same for several silos, one, and the plain loop, in all calls.</param>
internal sealed record ClusterResult(
    int Rows,
    int ModelDim,
    int Heads,
    int Silos,
    int Threads,
    double Milliseconds,
    double OneSiloMilliseconds,
    double Speedup,
    long? WireBytes,
    long IdealWireBytes,
    double? WireRatio,
    double TransferShare,
    double PlainMilliseconds,
    double ActorTax,
    double EmptyFanOutMilliseconds,
    double EmptyFanOutRatio,
    string Sha256)
{
    public static Table Tabulate(IEnumerable<ClusterResult> results)
    {
        var table = Tables.Create("layer", ">ms", ">speed-up", ">wire kB", ">÷ ideal", ">transfer", ">plain ms", ">tax", ">fan-out");
        foreach (var result in results)
        {
            table.Add(
                new BenchShape(result.Rows, result.ModelDim, result.Heads).ToString(),
                Text(result.Milliseconds, "0.000"),
                Text(result.Speedup, "0.00"),
                Text(result.WireBytes / 1e3, "0.0"),
                Text(result.WireRatio, "0.000"),
                result.TransferShare.Percent(),
                Text(result.PlainMilliseconds, "0.000"),
                Text(result.ActorTax, "0.000"),
                Text(result.EmptyFanOutRatio, "0.00"));
        }

        return table;
    }

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";
}

/// <summary>The report as one JSON object.</summary>
/// <param name="Results">Its lines.</param>
internal sealed record ClusterReport(IReadOnlyList<ClusterResult> Results)
{
    public void Write(FileInfo file)
    {
        using var stream = file.Create();
        JsonSerializer.Serialize(stream, this, ClusterReportJson.Default.ClusterReport);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ClusterReport))]
internal sealed partial class ClusterReportJson : JsonSerializerContext;
