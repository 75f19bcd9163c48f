using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace HeadCluster.Silo;

/// <summary>Whether this silo takes part in its cluster: it has joined and nobody told it to stop.</summary>
internal sealed class MembershipCheck : IHealthCheck
{
    private readonly ISiloStatusOracle _silos;
    private readonly IHostApplicationLifetime _lifetime;

    public MembershipCheck(ISiloStatusOracle silos, IHostApplicationLifetime lifetime)
    {
        _silos = silos;
        _lifetime = lifetime;
    }

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var status = _silos.CurrentStatus;
        return Task.FromResult(_lifetime.ApplicationStopping.IsCancellationRequested
            ? HealthCheckResult.Unhealthy("the silo is stopping")
            : status == SiloStatus.Active
                ? HealthCheckResult.Healthy("the silo is a member of its cluster")
                : HealthCheckResult.Unhealthy($"the silo is {status} in its cluster; expected Active"));
    }
}
