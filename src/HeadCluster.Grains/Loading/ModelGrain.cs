using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>
/// A grain that owns weights of a model while it is active. Weights that cannot be loaded do not fail the activation, which
/// would hide the reason from the caller: the next use of <see cref="Weights"/> throws it, and the grain goes away so that a
/// later call loads anew.
/// </summary>
/// <typeparam name="TWeights">The weights, packed for the kernels.</typeparam>
internal abstract class ModelGrain<TWeights> : Grain, IWeightGrain
    where TWeights : class
{
    private readonly WeightLoader _loader;
    private IDisposable? _reserved;
    private TWeights? _weights;
    private HeadClusterException? _failure;

    protected ModelGrain(ModelCatalog models, WeightLoader loader, ComputePool compute)
    {
        Models = models;
        _loader = loader;
        Compute = compute;
    }

    protected ModelCatalog Models { get; }

    protected ComputePool Compute { get; }

    /// <summary>The weights, or null if they could not be loaded or were let go of.</summary>
    protected TWeights? LoadedWeights => _failure is null ? _weights : null;

    /// <summary>The weights.</summary>
    /// <exception cref="HeadClusterException">They could not be loaded.</exception>
    protected TWeights Weights
    {
        get
        {
            if (_failure is { } failure)
            {
                DeactivateOnIdle();
                throw new HeadClusterException(failure.Kind, failure.Message);
            }

            return _weights!;
        }
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            (_weights, _reserved) = await _loader.LoadAsync(PlanLoad(), cancellationToken);
        }
        catch (HeadClusterException exception)
        {
            Fail(exception);
        }
    }

    /// <inheritdoc/>
    public Task ReleaseAsync()
    {
        // A request that came in before the grain has gone away is to be sent again.
        Fail(new HeadClusterException(
            HeadClusterErrorKind.Unavailable, $"the weights of {this.GetPrimaryKeyString()} were just let go of; send the request again"));
        _weights = null;
        Leave();
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public virtual Task<bool> IsServingAsync(Guid request, CancellationToken cancellationToken) => Task.FromResult(false);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Leave();
        _reserved?.Dispose();

        // Orleans may keep the grain's object for a while.
        _weights = null;
        return Task.CompletedTask;
    }

    /// <summary>What is to be loaded, and how much memory it takes.</summary>
    /// <exception cref="HeadClusterException">The grain's key names nothing that this silo's models have.</exception>
    protected abstract WeightLoad<TWeights> PlanLoad();

    /// <summary>The grain is not to be found on this silo any more. May be called twice.</summary>
    protected abstract void Leave();

    private void Fail(HeadClusterException failure)
    {
        _failure ??= failure;
        _reserved?.Dispose();
    }
}
