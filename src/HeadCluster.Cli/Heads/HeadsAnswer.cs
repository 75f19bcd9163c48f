using HeadCluster.Cli.Output;

namespace HeadCluster.Cli.Heads;

/// <summary>The JSON of <c>top</c> and <c>status --heads</c>.</summary>
internal sealed record HeadsAnswer(IReadOnlyList<HeadAnswer> Heads)
{
    public static HeadsAnswer Of(IEnumerable<HeadStatistics> heads, SiloNames names) => new([.. heads.Select(head => new HeadAnswer(
        head.Head.Model,
        head.Head.Layer,
        head.Head.KvHead,
        names.Of(head.Silo),
        head.Since,
        head.WeightBytes,
        head.Requests,
        head.Rows,
        head.OutputBytes,
        TimesAnswer.Of(head.Total),
        TimesAnswer.Of(head.Queue),
        TimesAnswer.Of(head.Project),
        TimesAnswer.Of(head.Attend)))]);
}

/// <summary>A head of <see cref="HeadsAnswer"/>.</summary>
internal sealed record HeadAnswer(
    string Model,
    int Layer,
    int Head,
    string Silo,
    DateTimeOffset Since,
    long WeightBytes,
    long Requests,
    long Rows,
    long OutputBytes,
    TimesAnswer Total,
    TimesAnswer Queue,
    TimesAnswer Project,
    TimesAnswer Attend);

/// <summary>Times of a head's requests.</summary>
internal sealed record TimesAnswer(double RecentMicroseconds, double P50Microseconds, double P99Microseconds, double MaxMicroseconds)
{
    public static TimesAnswer Of(DurationStatistics times) => new(
        times.Recent.TotalMicroseconds, times.P50.TotalMicroseconds, times.P99.TotalMicroseconds, times.Max.TotalMicroseconds);
}
