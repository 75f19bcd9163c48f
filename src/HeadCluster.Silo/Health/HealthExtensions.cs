using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HeadCluster.Silo;

/// <summary>Adds the health of a silo to its host.</summary>
internal static class HealthExtensions
{
    // A probe that waits longer has mostly given up itself.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>Answers health probes if the silo has a port for them. To be called before the silo is added.</summary>
    public static IServiceCollection AddHealth(this IServiceCollection services, SiloHostOptions options)
    {
        if (options.HealthPort is null)
        {
            return services;
        }

        services.AddHealthChecks()
            .AddCheck<MembershipCheck>("membership")
            .AddCheck<HeadsCheck>("heads", timeout: Timeout);
        return services.AddSingleton<IHostedService, HealthServer>();
    }
}
