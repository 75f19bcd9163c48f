using System.Text.Json.Serialization;

namespace HeadCluster.Benchmarks.Kernels;

/// <summary>One line of the report.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Rows">Rows of x.</param>
/// <param name="ModelDim">Width.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Threads">Threads, ours and the peer's.</param>
/// <param name="Causal">Whether the attention was causal.</param>
/// <param name="Decode">Whether it was one row over a past, or weights that come from memory.</param>
/// <param name="Milliseconds">Median time of ours.</param>
/// <param name="Peer">What ours is compared with.</param>
/// <param name="PeerMilliseconds">Median time of the peer.</param>
/// <param name="Ratio">Median over pairs of ours ÷ peer.</param>
/// <param name="Gflops">Floating-point operations a second, in units of 10⁹; those that a causal mask spares are not counted.</param>
/// <param name="PeakShare">
/// Share of the ceiling that this kind of work has, measured in the same run: the FMA peak, or the read bandwidth in decode.
/// </param>
/// <param name="PeakGflops">The FMA peak over all threads, in GFLOP/s.</param>
/// <param name="ReadGigabytes">The read bandwidth over all threads, in GB/s.</param>
internal sealed record KernelResult(
    string What,
    int Rows,
    int ModelDim,
    int Heads,
    int Threads,
    bool Causal,
    bool Decode,
    double Milliseconds,
    string Peer,
    double PeerMilliseconds,
    double Ratio,
    double Gflops,
    double PeakShare,
    double PeakGflops,
    double ReadGigabytes);

/// <summary>The report as one JSON object.</summary>
/// <param name="Results">Its lines.</param>
internal sealed record KernelReport(IReadOnlyList<KernelResult> Results);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(KernelReport))]
internal sealed partial class KernelJson : JsonSerializerContext;
