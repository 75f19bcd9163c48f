using System.Text.Json.Serialization;

namespace HeadCluster.Cli.Bench;

/// <summary>What a silo of the benchmark is asked for.</summary>
internal enum WorkerTask
{
    /// <summary>To put the layer's heads where they belong, and to compute it once.</summary>
    Prepare,

    /// <summary>To time the layer.</summary>
    Attend,

    /// <summary>To time the layer, the plain loop, and the calls without the work, in turn.</summary>
    Compare,
}

/// <summary>One line to the silo that has the layer's coordinator.</summary>
/// <param name="Task">What to do.</param>
/// <param name="Shape">With which layer.</param>
/// <param name="SiloPorts">The cluster's silos, that of the coordinator first.</param>
/// <param name="Amount">How often.</param>
internal sealed record WorkerRequest(WorkerTask Task, BenchShape Shape, int[] SiloPorts, Amount Amount);

/// <summary>One line back.</summary>
/// <param name="Error">Why it could not be done; null if it was.</param>
/// <param name="Sha256">Of the layer's output, which was the same in all calls so far.</param>
/// <param name="Calls">One entry a call of the layer.</param>
internal sealed record WorkerAnswer(string? Error, string Sha256, CallTimes[] Calls)
{
    /// <summary>The silo's first line.</summary>
    public static WorkerAnswer Ready { get; } = new(Error: null, "", []);
}

/// <summary>One call of a layer and what was timed beside it, in seconds; zero for what was not.</summary>
/// <param name="Layer">The layer by its grains.</param>
/// <param name="TransferShare">The share of it that passed on the way to the slowest remote silo and back.</param>
/// <param name="Plain">The plain loop.</param>
/// <param name="Empty">As many calls that compute nothing.</param>
internal sealed record CallTimes(double Layer, double TransferShare, double Plain = 0, double Empty = 0);

// Not indented: a message is a line.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WorkerRequest))]
[JsonSerializable(typeof(WorkerAnswer))]
internal sealed partial class WorkerJson : JsonSerializerContext;
