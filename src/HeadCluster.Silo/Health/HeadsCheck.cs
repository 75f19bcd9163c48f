using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HeadCluster.Silo;

/// <summary>
/// Whether the heads of this silo answer, of which it asks no other silo. One that does is enough: a head answers after the request
/// that it computes, and a silo with much to do is not a broken one.
/// </summary>
internal sealed class HeadsCheck : IHealthCheck
{
    private readonly IGrainFactory _grains;
    private readonly ILocalSiloDetails _silo;

    public HeadsCheck(IGrainFactory grains, ILocalSiloDetails silo)
    {
        _grains = grains;
        _silo = silo;
    }

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var headType = _grains.GetGrain<IAttentionHeadGrain>("any/0/0").GetGrainId().Type;
        var active = await _grains.GetGrain<IManagementGrain>(0)
            .GetDetailedGrainStatistics(types: null, [_silo.SiloAddress])
            .WaitAsync(cancellationToken);
        var heads = active.Select(grain => grain.GrainId).Where(id => id.Type == headType).ToArray();
        if (heads.Length == 0)
        {
            return HealthCheckResult.Healthy("no head is active here");
        }

        await Task.WhenAny(heads.Select(head => AnswerAsync(head, cancellationToken))).WaitAsync(cancellationToken);
        return HealthCheckResult.Healthy($"the heads here answer, of which there are {heads.Length}");
    }

    // A head that refuses, as one whose weights could not be loaded does, has answered.
    private async Task AnswerAsync(GrainId head, CancellationToken cancellationToken)
    {
        try
        {
            await _grains.GetGrain<IAttentionHeadGrain>(head).GetStatisticsAsync(cancellationToken);
        }
        catch (HeadClusterException)
        {
        }
    }
}
