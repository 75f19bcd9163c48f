using Orleans.Concurrency;

namespace HeadCluster.Grains;

/// <summary>Gathers what Orleans knows of silos and active heads, what each head says of itself, and the shapes of models.</summary>
[GrainType("cluster-status"), StatelessWorker]
internal sealed class ClusterStatusGrain : Grain, IClusterStatusGrain
{
    private static readonly GrainType HeadType = GrainType.Create(AttentionHeadGrain.TypeName);

    private readonly ModelCatalog _models;

    public ClusterStatusGrain(ModelCatalog models) => _models = models;

    public async Task<ClusterStatus> GetStatusAsync(CancellationToken cancellationToken)
    {
        var management = GrainFactory.GetGrain<IManagementGrain>(0);
        var hosts = await management.GetDetailedHosts(onlyActive: true);
        var silos = hosts
            .Select(host => new SiloInfo(host.SiloAddress, host.SiloName, host.Status.ToString()))
            .OrderBy(silo => silo.Address)
            .ToArray();

        var (models, broken) = _models.DescribeAll();
        return new ClusterStatus(silos, models, await GetHeadsAsync(model: null, cancellationToken), broken);
    }

    public Task<ModelDescription> DescribeAsync(string model, CancellationToken cancellationToken) => Task.FromResult(_models.Describe(model));

    public async Task<HeadStatistics[]> GetHeadsAsync(string? model, CancellationToken cancellationToken)
    {
        var active = await GrainFactory.GetGrain<IManagementGrain>(0).GetActiveGrains(HeadType);
        var asked = model is null ? active : active.Where(id => HeadId.TryParse(id.Key.ToString()!, out var head) && head.Model == model);

        // A head that is just moving is active on two silos.
        var heads = await Task.WhenAll(asked.Distinct().Select(id => AskAsync(id, cancellationToken)));
        return
        [
            .. heads.OfType<HeadStatistics>()
                .OrderBy(head => head.Head.Model, StringComparer.Ordinal)
                .ThenBy(head => head.Head.Layer)
                .ThenBy(head => head.Head.KvHead),
        ];
    }

    // A head that could not load its weights, or that went away in between, has nothing to tell.
    private async Task<HeadStatistics?> AskAsync(GrainId id, CancellationToken cancellationToken)
    {
        try
        {
            return await GrainFactory.GetGrain<IAttentionHeadGrain>(id).GetStatisticsAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is HeadClusterException or OrleansException or TimeoutException)
        {
            return null;
        }
    }
}
