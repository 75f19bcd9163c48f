using Spectre.Console;

namespace HeadCluster.Cli.Output;

/// <summary>Where a head was and how long its parts took, in microseconds.</summary>
internal sealed record HeadTimes(
    int Layer,
    int Head,
    string Silo,
    double QueueMicroseconds,
    double ProjectMicroseconds,
    double AttendMicroseconds)
{
    public static HeadTimes Of(HeadReport report, SiloNames silos) => new(
        report.Head.Layer,
        report.Head.KvHead,
        silos.Of(report.Silo),
        report.Queue.TotalMicroseconds,
        report.Project.TotalMicroseconds,
        report.Attend.TotalMicroseconds);

    public static Table Tabulate(IEnumerable<HeadTimes> heads)
    {
        var table = Tables.Create(">layer", ">head", "silo", ">queue µs", ">project µs", ">attend µs");
        foreach (var head in heads)
        {
            table.Add(
                head.Layer.Text(),
                head.Head.Text(),
                head.Silo,
                head.QueueMicroseconds.Microseconds(),
                head.ProjectMicroseconds.Microseconds(),
                head.AttendMicroseconds.Microseconds());
        }

        return table;
    }
}
