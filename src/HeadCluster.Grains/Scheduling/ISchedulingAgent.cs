using Orleans.Services;

namespace HeadCluster.Scheduling;

/// <summary>One silo's part in scheduling: it reports what it can and has, and prepares for what is to come.</summary>
[Alias("hc.ISchedulingAgent")]
internal interface ISchedulingAgent : IGrainService
{
    /// <summary>What the silo can do, and what of a model it has.</summary>
    /// <param name="model">The model.</param>
    /// <param name="silos">The silos that may be used, to which links are measured.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    [Alias("GetProfileAsync")]
    Task<SiloProfile> GetProfileAsync(string model, SiloAddress[] silos, CancellationToken cancellationToken = default);

    /// <summary>Takes a tensor and does nothing with it: who sends it measures the way.</summary>
    [Alias("ReceiveAsync")]
    Task ReceiveAsync(FloatTensor payload, CancellationToken cancellationToken = default);

    /// <summary>
    /// Loads and packs the weights of a head that is about to be activated here, and waits until nothing is left of an earlier activation. Nothing
    /// is done if it is here already.
    /// </summary>
    /// <exception cref="HeadClusterException">There is no memory for it, or its file cannot be read.</exception>
    [Alias("PrepareAsync"), ResponseTimeout("00:10:00")]
    Task PrepareAsync(HeadId head, CancellationToken cancellationToken = default);

    /// <summary>Lets go of weights that were prepared for a head that will not come, if there are any.</summary>
    [Alias("DiscardAsync")]
    Task DiscardAsync(HeadId head, CancellationToken cancellationToken = default);

    /// <summary>Waits until a head is active here.</summary>
    [Alias("ArriveAsync"), ResponseTimeout("00:01:00")]
    Task ArriveAsync(HeadId head, CancellationToken cancellationToken = default);

    /// <summary>The same of the grain of a layer or of a whole model.</summary>
    /// <exception cref="HeadClusterException">There is no memory for it, or its file cannot be read.</exception>
    [Alias("PrepareCoordinatorAsync"), ResponseTimeout("00:10:00")]
    Task PrepareCoordinatorAsync(GrainId coordinator, CancellationToken cancellationToken = default);

    /// <summary>Lets go of weights that were prepared for the grain of a layer or of a whole model that will not come.</summary>
    [Alias("DiscardCoordinatorAsync")]
    Task DiscardCoordinatorAsync(GrainId coordinator, CancellationToken cancellationToken = default);

    /// <summary>Waits until the grain of a layer or of a whole model is active here.</summary>
    [Alias("ArriveCoordinatorAsync"), ResponseTimeout("00:01:00")]
    Task ArriveCoordinatorAsync(GrainId coordinator, CancellationToken cancellationToken = default);

    /// <summary>Tells which plan new activations of a model obey.</summary>
    [Alias("PostAsync")]
    Task PostAsync(PostedPlan plan, CancellationToken cancellationToken = default);

    /// <summary>Lets go of all that the silo has of a model, or of one of its layers, and that can serve nothing since another part does not fit.</summary>
    [Alias("ReleaseAsync")]
    Task ReleaseAsync(string model, int? layer, CancellationToken cancellationToken = default);

    /// <summary>The silo is to give up what it has, and to get nothing more.</summary>
    [Alias("DrainAsync")]
    Task DrainAsync(CancellationToken cancellationToken = default);
}
