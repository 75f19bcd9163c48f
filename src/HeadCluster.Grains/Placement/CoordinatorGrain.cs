using HeadCluster.Kernels;

namespace HeadCluster.Grains;

/// <summary>A grain that has work of a whole layer or model done by heads: it is known on its silo while it is active, so that it can be moved.</summary>
/// <typeparam name="TWeights">The weights, packed for the kernels.</typeparam>
internal abstract class CoordinatorGrain<TWeights> : ModelGrain<TWeights>
    where TWeights : class
{
    private readonly LocalGrains _local;

    protected CoordinatorGrain(ModelCatalog models, WeightLoader loader, ComputePool compute, LocalGrains local)
        : base(models, loader, compute) => _local = local;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await base.OnActivateAsync(cancellationToken);
        if (LoadedWeights is not null)
        {
            _local.AddCoordinator(this.GetGrainId(), Model);
        }
    }

    /// <summary>Name of the model that this coordinates or is a layer of.</summary>
    protected abstract string Model { get; }

    protected override void Leave() => _local.RemoveCoordinator(this.GetGrainId(), GrainContext.Deactivated);
}
