using HeadCluster.Kernels;
using HeadCluster.Models;

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
    private readonly WeightMemory _memory;
    private IDisposable? _reserved;
    private TWeights? _weights;
    private HeadClusterException? _failure;

    protected ModelGrain(ModelCatalog models, WeightMemory memory, ComputePool compute)
    {
        Models = models;
        _memory = memory;
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
            var plan = PlanLoad();
            _reserved = _memory.Reserve(plan.Bytes, plan.Owner);

            // Reading waits for a disk, which a turn must not.
            await Compute.RunAsync(ComputePool.InlineOperations, _ => _weights = plan.Load(), cancellationToken);
        }
        catch (ModelException exception)
        {
            Fail(new HeadClusterException(HeadClusterErrorKind.InvalidModel, exception.Message));
        }
        catch (HeadClusterException exception)
        {
            Fail(exception);
        }
        catch
        {
            // A defect or an activation that took too long: there is no grain now that could give the memory back later.
            _reserved?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public virtual Task ReleaseAsync()
    {
        LetGo();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public virtual Task<bool> IsServingAsync(Guid request, CancellationToken cancellationToken) => Task.FromResult(false);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _reserved?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>What is to be loaded, and how much memory it takes.</summary>
    /// <exception cref="HeadClusterException">The grain's key names nothing that this silo's models have.</exception>
    protected abstract WeightLoad<TWeights> PlanLoad();

    /// <summary>Lets go of the weights and goes away. A request that came in before that is over is to be sent again.</summary>
    protected void LetGo()
    {
        Fail(new HeadClusterException(
            HeadClusterErrorKind.Unavailable, $"the weights of {this.GetPrimaryKeyString()} were just let go of; send the request again"));
        _weights = null;
        DeactivateOnIdle();
    }

    private void Fail(HeadClusterException failure)
    {
        _failure ??= failure;
        _reserved?.Dispose();
    }
}

/// <summary>Weights that are to be loaded.</summary>
/// <param name="Owner">Whose they are, for errors.</param>
/// <param name="Bytes">Memory that they take once packed.</param>
/// <param name="Load">Reads and packs them; runs on a compute thread.</param>
internal sealed record WeightLoad<TWeights>(string Owner, long Bytes, Func<TWeights> Load);
