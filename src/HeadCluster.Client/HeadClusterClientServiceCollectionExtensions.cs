using HeadCluster.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace HeadCluster.Client;

/// <summary>Adds a <see cref="HeadClusterClient"/> to a host.</summary>
public static class HeadClusterClientServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="HeadClusterClient"/> that connects when the host starts and fails the start with a
    /// <see cref="HeadClusterException"/> when no silo answers. Calling it again only configures further. A process that hosts
    /// a silo needs it not: it creates its client over the silo's own <see cref="IGrainFactory"/>.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets the gateways, the names of the cluster and the time to connect.</param>
    public static IServiceCollection AddHeadClusterClient(
        this IServiceCollection services,
        Action<HeadClusterClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
        {
            services.Configure(configure);
        }

        if (services.Any(service => service.ServiceType == typeof(HeadClusterClient)))
        {
            return services;
        }

        services.AddOptions<HeadClusterClientOptions>().ValidateOnStart();
        services.AddSingleton<IValidateOptions<HeadClusterClientOptions>, HeadClusterClientOptionsValidator>();
        services.AddSingleton<ConnectionLoss>();
        services.AddSingleton(provider => new GrainCalls(
            provider.GetRequiredService<ConnectionLoss>(),
            provider.GetRequiredService<IOptions<HeadClusterClientOptions>>().Value.RetryTimeout,
            provider.GetRequiredService<IOptions<HeadClusterClientOptions>>().Value.TimeLimit,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new HeadClusterClient(
            provider.GetRequiredService<IClusterClient>(),
            provider.GetRequiredService<GrainCalls>()));
        return services.AddOrleansClient(ConfigureOrleans);
    }

    private static void ConfigureOrleans(IClientBuilder client)
    {
        client.DiscoverGateways();
        client.UseConnectionRetryFilter<ConnectTimeoutFilter>();
        client.AddActivityPropagation();
        BlockTransport.Use(client.Services);

        var services = client.Services;
        services.AddSingleton<IClusterConnectionStatusObserver>(provider => provider.GetRequiredService<ConnectionLoss>());
        services.AddOptions<ClusterOptions>().Configure<IOptions<HeadClusterClientOptions>>((orleans, options) =>
        {
            orleans.ClusterId = options.Value.ClusterId;
            orleans.ServiceId = options.Value.ServiceId;
        });
        services.AddOptions<ConnectionOptions>().Configure<IOptions<HeadClusterClientOptions>>((orleans, options) =>
            orleans.OpenConnectionTimeout = options.Value.AttemptTimeout);
        services.Configure<ClientMessagingOptions>(orleans =>
        {
            orleans.MaxMessageBodySize = WireLimits.MaxMessageBodyBytes;

            // A head whose caller has gone would otherwise compute to the end.
            orleans.CancelRequestOnTimeout = true;
        });
    }
}
