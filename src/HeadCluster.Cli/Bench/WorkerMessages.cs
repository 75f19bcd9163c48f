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

    /// <summary>To have the scheduler plan for the layer, and predict where its heads are now.</summary>
    Plan,
}

/// <summary>One line to the silo that has the layer's coordinator.</summary>
/// <param name="Task">What to do.</param>
/// <param name="Shape">With which layer.</param>
/// <param name="SiloPorts">The cluster's silos, that of the coordinator first.</param>
/// <param name="Places">For each head the index of its silo.</param>
/// <param name="Amount">How often.</param>
internal sealed record WorkerRequest(WorkerTask Task, BenchShape Shape, int[] SiloPorts, int[] Places, Amount Amount);

/// <summary>One line back.</summary>
/// <param name="Error">Why it could not be done; null if it was.</param>
/// <param name="Sha256">Of the layer's output, which was the same in all calls so far.</param>
/// <param name="Calls">One entry a call of the layer.</param>
/// <param name="Plan">What the scheduler says; null if it was not asked.</param>
/// <param name="IsPortTaken">Whether the error is that another program has one of the silo's ports.</param>
internal sealed record WorkerAnswer(string? Error, string Sha256, CallTimes[] Calls, WorkerPlan? Plan = null, bool IsPortTaken = false)
{
    /// <summary>The silo's first line.</summary>
    public static WorkerAnswer Ready { get; } = new(Error: null, "", []);

    /// <summary>The silo's only line if it cannot listen.</summary>
    public static WorkerAnswer PortTaken(string error) => new(error, "", [], IsPortTaken: true);
}

/// <summary>One call of a layer and what was timed beside it, in seconds; zero for what was not.</summary>
/// <param name="Layer">The layer by its grains.</param>
/// <param name="TransferShare">The share of it that passed on the way to the slowest remote silo and back.</param>
/// <param name="Plain">The plain loop.</param>
/// <param name="Empty">As many calls that compute nothing.</param>
internal sealed record CallTimes(double Layer, double TransferShare, double Plain = 0, double Empty = 0);

/// <summary>What the scheduler says of a layer.</summary>
/// <param name="Coordinator">Index of the silo that is to coordinate.</param>
/// <param name="Places">For each head the index of the silo that it belongs to.</param>
/// <param name="Predicted">What a request is expected to take there, in seconds.</param>
/// <param name="PresentPredicted">What it is expected to take where the heads are now, in seconds.</param>
/// <param name="Reason">Why.</param>
internal sealed record WorkerPlan(int Coordinator, int[] Places, double Predicted, double PresentPredicted, string Reason);

// Not indented: a message is a line.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WorkerRequest))]
[JsonSerializable(typeof(WorkerAnswer))]
internal sealed partial class WorkerJson : JsonSerializerContext;
