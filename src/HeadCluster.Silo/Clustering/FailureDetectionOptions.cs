using Microsoft.Extensions.Configuration;

namespace HeadCluster.Silo;

/// <summary>
/// How soon silos declare one of them dead; section <c>HeadCluster:Silo:FailureDetection</c> of the configuration, the same on all
/// silos. <c>docs/operations.md</c> tells how long it takes, and what each setting costs.
/// </summary>
public sealed class FailureDetectionOptions
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a silo first waits for the answer to a probe, and how often it sends one, 0.1 to 60 seconds; from the fourth answer
    /// on, it goes by how long answers take, and waits at least half of this. A silo whose process has ended is found by this, after
    /// <see cref="MissedProbes"/> probes. Default: 1 second.
    /// </summary>
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The most that a silo waits for the answer to a probe, <see cref="ProbeTimeout"/> to 60 seconds. A silo that hangs with its
    /// connections open is found after <see cref="MissedProbes"/> times this without a message from it. Default: 4 seconds.
    /// </summary>
    public TimeSpan MaxProbeTimeout { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Probes that a silo must miss one after the other to be suspected, 1 to 100. Default: 3.</summary>
    public int MissedProbes { get; set; } = 3;

    /// <summary>
    /// Silos that must suspect another to declare it dead, 1 to 10; in a cluster of two, one is enough whatever this says.
    /// Default: 2.
    /// </summary>
    public int Votes { get; set; } = 2;

    /// <summary>
    /// How often a silo reads the list of silos, 1 second to 10 minutes, in case the others' word of a change did not reach it.
    /// Default: 10 seconds.
    /// </summary>
    public TimeSpan TableRefreshPeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often a silo writes to the list of silos that it is alive, 1 second to 10 minutes. After a crash of all silos, those of
    /// the next start wait three times this before they ignore the old ones. Default: 5 seconds.
    /// </summary>
    public TimeSpan AlivePeriod { get; set; } = TimeSpan.FromSeconds(5);

    internal static string Section => $"{SiloHostOptions.Section}:{nameof(SiloHostOptions.FailureDetection)}";

    /// <exception cref="HeadClusterException">A setting has not the form of a number or a time.</exception>
    internal static void CheckForm(IConfiguration configuration)
    {
        SettingForm.CheckNumber<int>(configuration, Section, nameof(MissedProbes));
        SettingForm.CheckNumber<int>(configuration, Section, nameof(Votes));
        foreach (var name in (string[])[nameof(ProbeTimeout), nameof(MaxProbeTimeout), nameof(TableRefreshPeriod), nameof(AlivePeriod)])
        {
            SettingForm.CheckDuration(configuration, Section, name);
        }
    }

    /// <summary>What is out of range and what to set it to, or null.</summary>
    internal string? Complaint() =>
        Outside(nameof(ProbeTimeout), ProbeTimeout, Shortest, Longest)
        ?? Outside(nameof(MaxProbeTimeout), MaxProbeTimeout, ProbeTimeout, Longest)
        ?? Outside(nameof(MissedProbes), MissedProbes, 1, 100)
        ?? Outside(nameof(Votes), Votes, 1, 10)
        ?? Outside(nameof(TableRefreshPeriod), TableRefreshPeriod, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10))
        ?? Outside(nameof(AlivePeriod), AlivePeriod, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

    private static string? Outside<T>(string name, T value, T least, T most)
        where T : IComparable<T> => value.CompareTo(least) < 0 || value.CompareTo(most) > 0
            ? $"{Section}:{name} is {value}; expected {least} to {most}"
            : null;
}
