using HeadCluster.Grains;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HeadCluster.Silo;

/// <summary>
/// Whether all heads of this silo answer, of which it asks no other silo. A head that computes answers meanwhile, so that a silo with
/// much to do is not taken for a broken one.
/// </summary>
internal sealed class HeadsCheck : IHealthCheck
{
    private const int MostNamed = 3;

    private readonly SiloHeads _heads;
    private readonly IGrainFactory _grains;

    public HeadsCheck(SiloHeads heads, IGrainFactory grains)
    {
        _heads = heads;
        _grains = grains;
    }

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        HeadId[] heads = [.. _heads.Active];
        if (heads.Length == 0)
        {
            return HealthCheckResult.Healthy("no head is active here");
        }

        var answers = Array.ConvertAll(heads, head => AnswerAsync(head, cancellationToken));
        try
        {
            await Task.WhenAll(answers).WaitAsync(cancellationToken);
            return HealthCheckResult.Healthy($"the heads here answer, of which there are {heads.Length}");
        }
        catch (OperationCanceledException)
        {
            var late = heads.Where((_, i) => !answers[i].IsCompletedSuccessfully).Select(head => head.ToString()).Order(StringComparer.Ordinal).ToArray();
            return HealthCheckResult.Unhealthy(
                $"{late.Length} of {heads.Length} heads here do not answer, such as {string.Join(", ", late.Take(MostNamed))}");
        }
    }

    // A head that refuses, as one whose weights could not be loaded does, has answered.
    private async Task AnswerAsync(HeadId head, CancellationToken cancellationToken)
    {
        try
        {
            await _grains.GetGrain<IAttentionHeadGrain>(head.ToString()).GetStatisticsAsync(cancellationToken);
        }
        catch (HeadClusterException)
        {
        }
    }
}
