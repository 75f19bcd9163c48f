using System.Globalization;
using HeadCluster.Cli.Output;

namespace HeadCluster.Cli.Heads;

/// <summary>A column of a table of heads.</summary>
/// <param name="Name">What <c>--sort</c> calls it.</param>
/// <param name="Title">Its title; one that begins with <c>&gt;</c> is of numbers or times (<see cref="Tables"/>).</param>
/// <param name="Text">What it shows of a head.</param>
/// <param name="Sort">Puts heads in order: of counts and times the largest first, of the others the first.</param>
/// <param name="FitsNarrow">Whether it is shown where there is not room for all.</param>
internal sealed record HeadColumn(
    string Name,
    string Title,
    Func<HeadStatistics, SiloNames, string> Text,
    Func<IEnumerable<HeadStatistics>, SiloNames, IOrderedEnumerable<HeadStatistics>> Sort,
    bool FitsNarrow = false)
{
    /// <summary>The column that tables are sorted by unless asked otherwise: the slowest head first.</summary>
    public const string Usual = "recent";

    // Signs in a line that all columns take with numbers of usual sizes.
    private const int WidthOfAll = 140;

    /// <summary>All columns, in their order.</summary>
    public static IReadOnlyList<HeadColumn> All { get; } =
    [
        new("model", "model", (head, _) => head.Head.Model, (heads, _) => heads
            .OrderBy(head => head.Head.Model, StringComparer.Ordinal).ThenBy(head => head.Head.Layer).ThenBy(head => head.Head.KvHead), FitsNarrow: true),
        new("layer", ">layer", (head, _) => head.Head.Layer.Text(), (heads, _) => heads.OrderBy(head => head.Head.Layer), FitsNarrow: true),
        new("head", ">head", (head, _) => head.Head.KvHead.Text(), (heads, _) => heads.OrderBy(head => head.Head.KvHead), FitsNarrow: true),
        new("silo", "silo", (head, names) => names.Of(head.Silo), (heads, names) => heads.OrderBy(head => names.Of(head.Silo), StringComparer.Ordinal), FitsNarrow: true),
        Count("requests", ">requests", head => head.Requests) with { FitsNarrow = true },
        Count("rows", ">rows", head => head.Rows),
        Count("bytes", ">out KiB", head => head.OutputBytes / 1024),
        Time(Usual, ">recent µs", head => head.Total.Recent) with { FitsNarrow = true },
        Time("p50", ">p50", head => head.Total.P50),
        Time("p99", ">p99", head => head.Total.P99) with { FitsNarrow = true },
        Time("max", ">max", head => head.Total.Max),
        Time("queue", ">queue", head => head.Queue.Recent) with { FitsNarrow = true },
        Time("project", ">project", head => head.Project.Recent) with { FitsNarrow = true },
        Time("attend", ">attend", head => head.Attend.Recent) with { FitsNarrow = true },
        new(
            "since",
            ">since (UTC)",
            (head, _) => head.Since.UtcDateTime.ToString("MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            (heads, _) => heads.OrderByDescending(head => head.Since)),
    ];

    /// <summary>The columns that a line has room for.</summary>
    public static IReadOnlyList<HeadColumn> Fitting(int width) => width >= WidthOfAll ? All : [.. All.Where(column => column.FitsNarrow)];

    /// <summary>The column of a name, which is one of <see cref="All"/>.</summary>
    public static HeadColumn Find(string name) => All.First(column => column.Name == name);

    private static HeadColumn Count(string name, string title, Func<HeadStatistics, long> value) => new(
        name, title, (head, _) => value(head).Text(), (heads, _) => heads.OrderByDescending(value));

    private static HeadColumn Time(string name, string title, Func<HeadStatistics, TimeSpan> value) => new(
        name, title, (head, _) => value(head).TotalMicroseconds.Microseconds(), (heads, _) => heads.OrderByDescending(value));
}
