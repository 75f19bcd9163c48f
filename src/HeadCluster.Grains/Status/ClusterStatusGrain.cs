using Orleans.Concurrency;

namespace HeadCluster.Grains;

/// <summary>Gathers what Orleans knows of silos and active heads, and what each head says of itself.</summary>
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

        // A head that is just moving is active on two silos.
        var active = await management.GetActiveGrains(HeadType);
        var heads = await Task.WhenAll(active.Distinct().Select(id => AskAsync(id, cancellationToken)));
        var (models, broken) = _models.DescribeAll();
        return new ClusterStatus(
            silos,
            models,
            [.. heads.OfType<HeadStatistics>().OrderBy(head => head.Head.Model, StringComparer.Ordinal).ThenBy(head => head.Head.Layer).ThenBy(head => head.Head.KvHead)],
            broken);
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
