using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeadCluster.Cli.Output;
using Spectre.Console;

namespace HeadCluster.Cli.Bench;

/// <summary>One line of the report: one split of a layer's heads.</summary>
/// <param name="Rows">Rows of x.</param>
/// <param name="ModelDim">Width.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Threads">Compute threads of each silo.</param>
/// <param name="Split">Heads of each silo, the coordinator's first.</param>
/// <param name="IsPicked">Whether it is the split that the scheduler picked.</param>
/// <param name="PredictedMilliseconds">What the scheduler expects of it.</param>
/// <param name="Milliseconds">Median time of a request.</param>
/// <param name="PredictedOverMeasured">The one ÷ the other.</param>
/// <param name="Speedup">Median over rounds of all heads on the coordinator's silo ÷ this.</param>
/// <param name="OverFastest">Its median time ÷ that of the fastest split that was measured.</param>
internal sealed record PlanResult(
    int Rows,
    int ModelDim,
    int Heads,
    int Threads,
    int[] Split,
    bool IsPicked,
    double PredictedMilliseconds,
    double Milliseconds,
    double PredictedOverMeasured,
    double Speedup,
    double OverFastest)
{
    public static Table Tabulate(IEnumerable<PlanResult> results)
    {
        var table = Tables.Create("layer", "heads", ">expected ms", ">ms", ">expected ÷", ">speed-up", ">÷ fastest", "");
        foreach (var result in results)
        {
            table.Add(
                new BenchShape(result.Rows, result.ModelDim, result.Heads).ToString(),
                string.Join('/', result.Split),
                Text(result.PredictedMilliseconds, "0.000"),
                Text(result.Milliseconds, "0.000"),
                Text(result.PredictedOverMeasured, "0.00"),
                Text(result.Speedup, "0.00"),
                Text(result.OverFastest, "0.00"),
                result.IsPicked ? "picked" : "");
        }

        return table;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>The report as one JSON object.</summary>
/// <param name="Results">Its lines.</param>
internal sealed record PlanReport(IReadOnlyList<PlanResult> Results)
{
    public void Write(FileInfo file)
    {
        using var stream = file.Create();
        JsonSerializer.Serialize(stream, this, PlanReportJson.Default.PlanReport);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(PlanReport))]
internal sealed partial class PlanReportJson : JsonSerializerContext;
