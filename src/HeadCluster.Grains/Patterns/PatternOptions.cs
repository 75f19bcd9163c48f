using HeadCluster.Hosting;

namespace HeadCluster.Patterns;

/// <summary>How much of attention patterns is captured and kept; section <c>HeadCluster:Patterns</c>.</summary>
public sealed class PatternOptions
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);

    /// <summary>
    /// The most bytes that one head's pattern of one sequence takes as a whole, 0 or more: 4 · length² for each of its query heads. Of
    /// a larger one each row keeps its largest entries. A request may ask for less. Default: 1 MiB, which is 512 positions.
    /// </summary>
    public long DenseBytes { get; set; } = 1 << 20;

    /// <summary>How many entries such a row keeps, 1 or more, unless the request says. Default: 32.</summary>
    public int TopCount { get; set; } = 32;

    /// <summary>
    /// The most bytes of patterns that a model's last captured request may take and still be kept to be looked at; 0 keeps none.
    /// Default: 32 MiB.
    /// </summary>
    public long KeptBytes { get; set; } = 32 << 20;

    /// <summary>
    /// How often the patterns of a request of a whole model are captured that did not ask for them, to be looked at: of one request
    /// in so long a time, from 100 milliseconds to one day; null for never. Default: null.
    /// </summary>
    public TimeSpan? SampleInterval { get; set; }

    /// <summary>What of the options is wrong and what to change.</summary>
    internal IEnumerable<string> Complaints()
    {
        const string Section = HeadClusterOptions.Section + ":Patterns";
        if (DenseBytes < 0)
        {
            yield return $"{Section}:DenseBytes is {DenseBytes}; set it to 0 or more";
        }

        if (TopCount < 1)
        {
            yield return $"{Section}:TopCount is {TopCount}; set it to 1 or more";
        }

        if (KeptBytes < 0)
        {
            yield return $"{Section}:KeptBytes is {KeptBytes}; set it to 0 or more";
        }

        if (SampleInterval is { } interval && (interval < ShortestInterval || interval > LongestInterval))
        {
            yield return $"{Section}:SampleInterval is {interval}; set it to {ShortestInterval} to {LongestInterval}, or leave it out";
        }
    }
}
