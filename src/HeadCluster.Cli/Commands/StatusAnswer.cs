using HeadCluster.Cli.Output;

namespace HeadCluster.Cli.Commands;

/// <summary>The JSON of <c>status</c>.</summary>
internal sealed record StatusAnswer(
    IReadOnlyList<SiloAnswer> Silos,
    IReadOnlyList<ModelDescription> Models,
    IReadOnlyList<HeadMedians> Heads,
    IReadOnlyList<BrokenModel> BrokenModels)
{
    public static StatusAnswer Of(ClusterStatus status)
    {
        var names = new SiloNames(status);
        return new StatusAnswer(
            [.. status.Silos.Select(silo => new SiloAnswer(silo.Name, silo.Address.Endpoint.ToString(), silo.Status))],
            status.Models,
            [.. status.Heads.Select(head => new HeadMedians(
                head.Head.Model,
                head.Head.Layer,
                head.Head.KvHead,
                names.Of(head.Silo),
                head.WeightBytes,
                head.Requests,
                head.Queue.P50.TotalMicroseconds,
                head.Project.P50.TotalMicroseconds,
                head.Attend.P50.TotalMicroseconds))],
            status.BrokenModels);
    }
}

/// <summary>A silo of <see cref="StatusAnswer"/>.</summary>
internal sealed record SiloAnswer(string Name, string Address, string Status);

/// <summary>A head of <see cref="StatusAnswer"/>; its times are medians.</summary>
internal sealed record HeadMedians(
    string Model,
    int Layer,
    int Head,
    string Silo,
    long WeightBytes,
    long Requests,
    double QueueMicroseconds,
    double ProjectMicroseconds,
    double AttendMicroseconds);
