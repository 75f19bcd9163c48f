using HeadCluster.Models;
using HeadCluster.Patterns;
using HeadCluster.Scheduling;

namespace HeadCluster.Hosting;

/// <summary>What a silo serves and with how much of the machine; section <c>HeadCluster</c> of the configuration.</summary>
public sealed class HeadClusterOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "HeadCluster";

    /// <summary>
    /// The models by name; a name has no <c>/</c> and is not empty. Built-in models (<c>random:gpt2-small?seed=1</c>) need no
    /// entry: their location is their name. Default: none.
    /// </summary>
    public Dictionary<string, ModelOptions> Models { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// The most memory that the weights of this silo's heads and layers may take, in bytes, 1 or more; null for 80 % of what
    /// the process may use. A head that does not fit is refused. Default: null.
    /// </summary>
    public long? MemoryLimitBytes { get; set; }

    /// <summary>
    /// The most memory that the keys and values of sequences which heads keep may take, beside the weights, in bytes, 0 or more; null for 10 % of
    /// what the process may use. Sequences that do not fit are computed as a whole at each step. Default: null.
    /// </summary>
    public long? SequenceMemoryBytes { get; set; }

    /// <summary>Threads that compute, 1 to 1024; null for one a processor. Default: null.</summary>
    public int? ComputeThreads { get; set; }

    /// <summary>
    /// Whether each compute thread keeps to a processor of its own (Linux). True only for a silo that has its processors for itself: several
    /// on one machine would keep to the same ones. Default: false.
    /// </summary>
    public bool PinComputeThreads { get; set; }

    /// <summary>
    /// The most bytes that this silo has under way to and from each silo, itself included: inputs that were sent and outputs that
    /// are owed. 1 MiB or more; what does not fit waits in order. Default: 256 MiB.
    /// </summary>
    public long MaxInFlightBytesPerSilo { get; set; } = 256L << 20;

    /// <summary>
    /// The most bytes that wait to be sent to each silo, 0 or more; a request beyond it is refused as
    /// <see cref="HeadClusterErrorKind.Busy"/> at once. Default: 1 GiB.
    /// </summary>
    public long MaxWaitingBytesPerSilo { get; set; } = 1L << 30;

    /// <summary>
    /// In what form elements travel between silos: <c>Float32</c>, exact, or <c>BFloat16</c>, half the bytes and results that differ in
    /// their third digit (docs/numerics.md). Set it alike on all silos, since that of a layer's coordinator counts, and the bits of a
    /// result depend on it. Default: <see cref="HeadCluster.WirePrecision.Float32"/>.
    /// </summary>
    public WirePrecision WirePrecision { get; set; }

    /// <summary>
    /// How long a layer goes on trying to reach heads whose silo is gone, from one second to one hour from when it lost them, before its
    /// caller is told. It must be longer than the cluster takes to find out that a silo has died. Default: 1 minute.
    /// </summary>
    public TimeSpan RecoveryTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Where heads are put, and when they move.</summary>
    public SchedulingOptions Scheduling { get; } = new();

    /// <summary>
    /// Whether metrics of heads carry the head's index as a tag: as many time series as there are heads, times those of a
    /// histogram. Traces and statistics name each head in any case. Default: false.
    /// </summary>
    public bool TagMetricsByHead { get; set; }

    /// <summary>How much of attention patterns is captured and kept.</summary>
    public PatternOptions Patterns { get; } = new();
}

/// <summary>One model.</summary>
public sealed class ModelOptions
{
    /// <summary>
    /// A directory with <c>config.json</c> and <c>*.safetensors</c>, relative to the host's content root unless absolute, or a
    /// built-in model such as <c>random:nano?seed=1</c> (<see cref="ModelLocation"/>).
    /// </summary>
    public string Path { get; set; } = "";
}
