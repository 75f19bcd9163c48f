using HeadCluster.Cli.Output;

namespace HeadCluster.Cli.Trace;

/// <summary>
/// Where the time of one layer went for one request. Only durations are used, each taken by one clock, since those of silos differ.
/// </summary>
/// <param name="Layer">Index of the layer.</param>
/// <param name="AttentionMicroseconds">Heads and output projection.</param>
/// <param name="OutputProjectionMicroseconds">What was left of the output projection when the last head had answered.</param>
/// <param name="FeedForwardMicroseconds">The feed-forward layer; zero where only attention was asked for.</param>
/// <param name="Slowest">What the heads' part waited for.</param>
/// <param name="Heads">All heads, in their order.</param>
/// <param name="Silos">One for each group of heads that was served together.</param>
internal sealed record LayerTrace(
    int Layer,
    double AttentionMicroseconds,
    double OutputProjectionMicroseconds,
    double FeedForwardMicroseconds,
    CriticalPath Slowest,
    IReadOnlyList<HeadTrace> Heads,
    IReadOnlyList<SiloTrace> Silos)
{
    public static LayerTrace Of(HeadReport[] reports, LayerReport layer, SiloNames names)
    {
        var last = layer.Silos.MaxBy(silo => silo.Elapsed)!;
        var slowest = reports.Where(report => report.Silo.Equals(last.Silo)).MaxBy(report => report.Queue + report.Project + report.Attend)
            ?? reports[0];
        var transfer = Transfer(last);
        var explained = transfer + slowest.Queue + slowest.Project + slowest.Attend + layer.OutputProjection;
        return new LayerTrace(
            reports[0].Head.Layer,
            layer.Attention.TotalMicroseconds,
            layer.OutputProjection.TotalMicroseconds,
            layer.FeedForward.TotalMicroseconds,
            new CriticalPath(slowest.Head.KvHead, names.Of(slowest.Silo), transfer.TotalMicroseconds, (layer.Attention - explained).TotalMicroseconds),
            [.. reports.Select(report => HeadTrace.Of(report, TransferTo(report.Silo), names))],
            [.. layer.Silos.Select(silo => new SiloTrace(
                names.Of(silo.Silo), silo.Heads, silo.Elapsed.TotalMicroseconds, Transfer(silo).TotalMicroseconds, silo.Bytes))]);

        // A silo that was asked twice served each head but once; which of the two times is not known.
        TimeSpan TransferTo(SiloAddress silo) => layer.Silos.Where(other => other.Silo.Equals(silo)).Select(Transfer).DefaultIfEmpty().Max();
    }

    private static TimeSpan Transfer(SiloReport silo) => silo.Elapsed - silo.Computing;
}

/// <summary>What the layer waited for: the slowest head of the silo that answered last.</summary>
/// <param name="Head">The head's index.</param>
/// <param name="Silo">Its silo.</param>
/// <param name="TransferMicroseconds">Input and outputs on their way to and from that silo.</param>
/// <param name="RestMicroseconds">
/// What of the layer's time is neither transfer nor that head nor the output projection: calls, and waits of their schedulers.
/// </param>
internal sealed record CriticalPath(int Head, string Silo, double TransferMicroseconds, double RestMicroseconds);

/// <summary>One head; its transfer is that of input and outputs of all heads of its silo.</summary>
internal sealed record HeadTrace(
    int Head, string Silo, double TransferMicroseconds, double QueueMicroseconds, double ProjectMicroseconds, double AttendMicroseconds)
{
    public static HeadTrace Of(HeadReport report, TimeSpan transfer, SiloNames names) => new(
        report.Head.KvHead,
        names.Of(report.Silo),
        transfer.TotalMicroseconds,
        report.Queue.TotalMicroseconds,
        report.Project.TotalMicroseconds,
        report.Attend.TotalMicroseconds);
}

/// <summary>What one silo did.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="Heads">Heads that it was asked for.</param>
/// <param name="ElapsedMicroseconds">As the layer's coordinator saw it.</param>
/// <param name="TransferMicroseconds">The part of it that passed on the way.</param>
/// <param name="Bytes">What travelled.</param>
internal sealed record SiloTrace(string Silo, int Heads, double ElapsedMicroseconds, double TransferMicroseconds, long Bytes);
