namespace HeadCluster.Scheduling;

/// <summary>All that a plan depends on. Silos and heads are meant by their index in these lists.</summary>
public sealed record PlanProblem
{
    /// <summary>The model whose heads are placed.</summary>
    public required string Model { get; init; }

    /// <summary>The requests to plan for.</summary>
    public required RequestShape Shape { get; init; }

    /// <summary>The heads, ordered by layer, then by head. Layers are computed one after the other, the heads of a layer at once.</summary>
    public required IReadOnlyList<HeadLoad> Heads { get; init; }

    /// <summary>The silos that may be used, at least one, in the order of their addresses.</summary>
    public required IReadOnlyList<SiloCapacity> Silos { get; init; }

    /// <summary>What the model's coordinators do themselves, on one silo.</summary>
    public required CoordinatorLoad Coordinator { get; init; }

    /// <summary>What it costs to send between silos.</summary>
    public required SiloLinks Links { get; init; }

    /// <summary>Names of silos that may not be used: they are draining, have left, or are not there yet.</summary>
    public IReadOnlyCollection<string> Absent { get; init; } = [];

    /// <summary>The silo of each head now; -1 for one that is nowhere. Null if none is anywhere.</summary>
    public IReadOnlyList<int>? Present { get; init; }

    /// <summary>The silo that coordinates now; -1 for none.</summary>
    public int PresentCoordinator { get; init; } = -1;

    /// <summary>Whether what is nowhere was on a silo that is gone or going, rather than nowhere yet.</summary>
    public bool HasLost { get; init; }

    /// <summary>Whether that silo is to go on coordinating, because it has not done so for long.</summary>
    public bool CoordinatorRests { get; init; }

    /// <summary>Whether the speed of some silos with heads is known and that of others not yet: what is expected of these may be far from it.</summary>
    public bool IsPreliminary { get; init; }
}

/// <summary>One head and what it costs for one request of the shape that is planned for.</summary>
/// <param name="Head">The head.</param>
/// <param name="WeightBytes">Memory that its packed weights take, in bytes; they travel when it moves.</param>
/// <param name="StateBytes">Memory that its state takes beside them, in bytes.</param>
/// <param name="Operations">Floating-point operations.</param>
/// <param name="ReadBytes">Weights and state that are read from memory, in bytes.</param>
/// <param name="OutputBytes">Size of z, in bytes.</param>
public readonly record struct HeadLoad(HeadId Head, long WeightBytes, long StateBytes, double Operations, double ReadBytes, long OutputBytes)
{
    /// <summary>Memory that it takes, in bytes.</summary>
    public long Bytes => WeightBytes + StateBytes;
}

/// <summary>What the coordinators of a model do on their silo.</summary>
/// <param name="WeightBytes">Memory that they take, all layers together, in bytes.</param>
/// <param name="InputBytes">Size of x, which goes once a layer to each silo that has heads of it, in bytes.</param>
/// <param name="LayerOperations">Floating-point operations in each layer after attention: in a whole model the feed-forward.</param>
/// <param name="LayerReadBytes">Weights read in them, in bytes.</param>
/// <param name="RequestOperations">Floating-point operations once a request: in a whole model the logits.</param>
/// <param name="RequestReadBytes">Weights read once a request, in bytes.</param>
/// <param name="ProjectionOperations">Floating-point operations in each layer on what the heads answer, as it comes: the output projection.</param>
/// <param name="ProjectionReadBytes">Weights read in them, in bytes.</param>
public sealed record CoordinatorLoad(
    long WeightBytes,
    long InputBytes,
    double LayerOperations,
    double LayerReadBytes,
    double RequestOperations,
    double RequestReadBytes,
    double ProjectionOperations = 0,
    double ProjectionReadBytes = 0);

/// <summary>What one silo can do.</summary>
/// <param name="Silo">Its address.</param>
/// <param name="Name">Its name.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="OperationsPerSecond">Floating-point operations a second, each thread, as measured on the kernels.</param>
/// <param name="ReadBytesPerSecond">Memory that all threads together read a second, in bytes.</param>
/// <param name="MemoryBytes">Memory for this model: what is free and what it has there already, in bytes.</param>
/// <param name="CallTime">What asking one head costs on top of its computation.</param>
/// <param name="FanOutTime">What asking it from another silo for its heads of a layer costs, however many they are.</param>
/// <param name="StartTime">What its threads take to begin with a layer: they have slept, and wait for whatever else shares their processors.</param>
/// <param name="AnswerSlowdown">How many times as long as its speed says heads take there when another silo has asked for them, 1 or more.</param>
/// <param name="SustainedShare">
/// The part of its speed that a thread keeps if it computes without pause, above 0 to 1: less than 1 where others share its processors and it has
/// little to do now, so that it has rested when it begins.
/// </param>
public sealed record SiloCapacity(
    SiloAddress Silo,
    string Name,
    int Threads,
    double OperationsPerSecond,
    double ReadBytesPerSecond,
    long MemoryBytes,
    TimeSpan CallTime,
    TimeSpan FanOutTime = default,
    TimeSpan StartTime = default,
    double AnswerSlowdown = 1,
    double SustainedShare = 1);

/// <summary>What it costs to send between two silos.</summary>
/// <param name="RoundTrip">Time of a small message there and back.</param>
/// <param name="BytesPerSecond">What large tensors travel at, one direction, in bytes a second.</param>
public readonly record struct SiloLink(TimeSpan RoundTrip, double BytesPerSecond);
