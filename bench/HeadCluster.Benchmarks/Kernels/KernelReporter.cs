using System.Globalization;
using System.Text.Json;
using HeadCluster.Benchmarks.Machine;
using HeadCluster.Benchmarks.Measuring;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary>Prints each figure as it is measured, and keeps all for the JSON file.</summary>
internal sealed class KernelReporter
{
    private readonly List<KernelResult> _results = [];
    private readonly TextWriter _output;

    public KernelReporter(TextWriter output)
    {
        _output = output;
        Line("what", "rows", "width", "heads", "threads", "ms", "peer", "peer ms", "ratio", "GFLOP/s", "of peak", "GB/s", "of read");
    }

    /// <summary>Numbers of threads that everything is measured with.</summary>
    public static IReadOnlyList<int> Threads { get; } = [1, 2];

    /// <summary>A layer's figures.</summary>
    public void Add(string what, int rows, LayerShape shape, int threads, PairTimes times, string peer, KernelCeilings ceilings)
    {
        var operations = shape.Operations(rows) - (shape.Causal ? 2.0 * rows * (rows - 1) * shape.ModelDim : 0);
        var gflops = operations / times.Ours / 1e9;
        Add(new KernelResult(
            what,
            rows,
            shape.ModelDim,
            shape.Heads,
            threads,
            shape.Causal,
            Decode: false,
            times.Ours * 1e3,
            peer,
            times.Peer * 1e3,
            times.Ratio,
            gflops,
            gflops / ceilings.PeakGflops,
            ceilings.PeakGflops,
            ceilings.ReadGigabytes));
    }

    /// <summary>A decode step's figures.</summary>
    public void AddDecode(
        string what, LayerShape shape, int threads, PairTimes times, long bytes, long operations, KernelCeilings ceilings) =>
        Add(new KernelResult(
            what,
            Rows: 1,
            shape.ModelDim,
            shape.Heads,
            threads,
            Causal: true,
            Decode: true,
            times.Ours * 1e3,
            "memory read",
            times.Peer * 1e3,
            times.Ratio,
            operations / times.Ours / 1e9,
            1 / times.Ratio,
            ceilings.PeakGflops,
            ceilings.ReadGigabytes));

    /// <summary>Writes all figures as one JSON object.</summary>
    public void WriteJson(FileInfo file)
    {
        using var stream = file.Create();
        JsonSerializer.Serialize(stream, new KernelReport(_results), KernelJson.Default.KernelReport);
    }

    private void Add(KernelResult result)
    {
        _results.Add(result);
        Line(
            result.Causal && !result.Decode && result.What != "causal" ? $"{result.What} causal" : result.What,
            Text(result.Rows),
            Text(result.ModelDim),
            Text(result.Heads),
            Text(result.Threads),
            Text(result.Milliseconds, "0.000"),
            result.Peer,
            Text(result.PeerMilliseconds, "0.000"),
            Text(result.Ratio, "0.000"),
            Text(result.Gflops, "0"),
            result.Decode ? "" : Text(result.PeakShare, "0 %"),
            result.Decode ? Text(result.ReadGigabytes, "0.0") : "",
            result.Decode ? Text(result.PeakShare, "0 %") : "");
    }

    private static string Text(double value, string format = "0") => value.ToString(format, CultureInfo.InvariantCulture);

    private void Line(params ReadOnlySpan<string> cells)
    {
        int[] widths = [22, 5, 6, 6, 8, 9, 13, 9, 7, 8, 8, 6, 8];
        var line = "";
        for (var i = 0; i < cells.Length; i++)
        {
            line += i is 0 or 6 ? "  " + cells[i].PadRight(widths[i]) : cells[i].PadLeft(widths[i]);
        }

        _output.WriteLine(line.TrimEnd());
    }
}

/// <summary>What the machine could do at most when a figure was measured.</summary>
/// <param name="PeakGflops">FMA peak over all threads, in GFLOP/s.</param>
/// <param name="ReadGigabytes">Read bandwidth over all threads, in GB/s.</param>
internal sealed record KernelCeilings(double PeakGflops, double ReadGigabytes)
{
    public static KernelCeilings Measure(int threads) => new(Ceilings.PeakGflops(threads), Ceilings.ReadGigabytes(threads));
}
