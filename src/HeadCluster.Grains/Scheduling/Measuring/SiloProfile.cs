namespace HeadCluster.Scheduling;

/// <summary>What a silo reports of itself to the scheduler of a model.</summary>
/// <param name="Silo">Its address.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsDraining">Whether it gives up what it has.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="Calibrated">What its kernels do when nothing disturbs them, floating-point operations a second and thread.</param>
/// <param name="Measured">What its heads did lately, in the same unit; null if they computed nothing large.</param>
/// <param name="ReadBytesPerSecond">Memory that all threads together read a second, in bytes.</param>
/// <param name="MemoryBytes">Memory for the model: what is free and what it has, in bytes.</param>
/// <param name="Heads">Heads of the model that are active there.</param>
/// <param name="Coordinators">Its other grains that are active there: layers, and the model as a whole.</param>
/// <param name="Served">The requests that its coordinators served there lately.</param>
/// <param name="Links">What it costs to send to other silos.</param>
/// <param name="Start">What a compute thread that has nothing to do takes to begin with a head.</param>
/// <param name="AnswerSlowdown">How many times as long as its speed says its heads take when another silo has asked for them; null if that is not known.</param>
/// <param name="Sustained">What a thread does that computes without pause, operations a second; null if that is not known.</param>
[GenerateSerializer, Immutable, Alias("hc.SiloProfile")]
internal sealed record SiloProfile(
    [property: Id(0)] SiloAddress Silo,
    [property: Id(1)] string Name,
    [property: Id(2)] bool IsDraining,
    [property: Id(3)] int Threads,
    [property: Id(4)] double Calibrated,
    [property: Id(5)] double? Measured,
    [property: Id(6)] double ReadBytesPerSecond,
    [property: Id(7)] long MemoryBytes,
    [property: Id(8)] HeadId[] Heads,
    [property: Id(9)] GrainId[] Coordinators,
    [property: Id(10)] ServedRows Served,
    [property: Id(11)] MeasuredLink[] Links,
    [property: Id(12)] TimeSpan Start,
    [property: Id(13)] double? AnswerSlowdown,
    [property: Id(14)] double? Sustained);

/// <summary>What it costs to send to a silo.</summary>
/// <param name="To">The silo.</param>
/// <param name="RoundTrip">Time of a small message there and back.</param>
/// <param name="BytesPerSecond">What large tensors travel at, in bytes a second.</param>
/// <param name="Slowdown">How many times as long as both say requests took lately; null if none travelled alone.</param>
[GenerateSerializer, Immutable, Alias("hc.MeasuredLink")]
internal readonly record struct MeasuredLink(
    [property: Id(0)] SiloAddress To,
    [property: Id(1)] TimeSpan RoundTrip,
    [property: Id(2)] double BytesPerSecond,
    [property: Id(3)] double? Slowdown);
