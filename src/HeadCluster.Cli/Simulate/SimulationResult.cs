using System.Text.Json.Serialization;

namespace HeadCluster.Cli.Simulate;

/// <summary>How a simulated fleet fared.</summary>
/// <param name="Slowdowns">Silos that became slower for a time.</param>
/// <param name="Deaths">Silos that died.</param>
/// <param name="Joins">Silos that joined.</param>
/// <param name="Plans">Plans that were made.</param>
/// <param name="PlanSeconds">What the slowest of them took to make, in seconds of this machine.</param>
/// <param name="MakespanOverLowerBound">At the end, time of a request ÷ the time if work could be split at will and nothing had to be sent.</param>
/// <param name="MeanMakespanOverLowerBound">The same, on average over the simulated time.</param>
/// <param name="WorstMakespanOverLowerBound">The same, at the worst moment.</param>
/// <param name="HeadsMoved">Heads that changed their silo, those of silos that died among them.</param>
/// <param name="BytesMoved">Their weights and state, in bytes.</param>
/// <param name="RecoverySeconds">The longest time from the death of a silo until all heads were served again, in seconds of the simulation.</param>
/// <param name="PeakBytes">The most memory that this process has had, in bytes.</param>
internal sealed record SimulationResult(
    int Slowdowns,
    int Deaths,
    int Joins,
    int Plans,
    double PlanSeconds,
    double MakespanOverLowerBound,
    double MeanMakespanOverLowerBound,
    double WorstMakespanOverLowerBound,
    int HeadsMoved,
    long BytesMoved,
    double RecoverySeconds,
    long PeakBytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SimulationResult))]
internal sealed partial class SimulationJson : JsonSerializerContext;
