using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Messaging;
using StackExchange.Redis;

namespace HeadCluster.Client;

/// <summary>
/// Makes a client find gateways as its options say. Orleans has its client choose when services are registered; these options are known
/// only when all that configures them has run, so all ways are registered, each under its name.
/// </summary>
internal static class DiscoveryExtensions
{
    // Npgsql, by the name that Orleans knows it by.
    private const string PostgreSql = "Npgsql";

    // How long a client may go on trying a gateway that is gone, and not know one that has come.
    private static readonly TimeSpan RefreshPeriod = TimeSpan.FromSeconds(5);

    public static IClientBuilder DiscoverGateways(this IClientBuilder client)
    {
        var services = client.Services;
        Keep(services, GatewayDiscovery.Static, () => client.UseStaticClustering((OptionsBuilder<StaticGatewayListProviderOptions> gateways) =>
            gateways.Configure<IOptions<HeadClusterClientOptions>>((orleans, options) => orleans.Gateways = Resolve(options.Value))));
        Keep(services, GatewayDiscovery.Redis, () => client.UseRedisClustering(configuration: null!));
        Keep(services, GatewayDiscovery.AdoNet, () => client.UseAdoNetClustering((AdoNetClusteringClientOptions database) => database.Invariant = PostgreSql));

        services.AddOptions<RedisClusteringOptions>().Configure<IOptions<HeadClusterClientOptions>>((orleans, options) =>
        {
            var redis = ConfigurationOptions.Parse(options.Value.ConnectionString);

            // Redis must have failed before the client gives up, or nobody says that it is Redis.
            redis.ConnectTimeout = Math.Min(redis.ConnectTimeout, (int)options.Value.ConnectTimeout.TotalMilliseconds / 2);
            redis.ConnectRetry = 1;
            orleans.ConfigurationOptions = redis;
        });
        services.AddOptions<AdoNetClusteringClientOptions>().Configure<IOptions<HeadClusterClientOptions>>((orleans, options) =>
            orleans.ConnectionString = options.Value.ConnectionString);
        services.AddSingleton(provider => provider.GetRequiredKeyedService<IGatewayListProvider>(
            provider.GetRequiredService<IOptions<HeadClusterClientOptions>>().Value.Discovery));
        return client.Configure<GatewayOptions>(orleans => orleans.GatewayListRefreshPeriod = RefreshPeriod);
    }

    /// <summary>Registers what one way adds, its list of gateways under its name. What it checks of its options, ours check better.</summary>
    private static void Keep(IServiceCollection services, GatewayDiscovery discovery, Action add)
    {
        var before = services.Count;
        add();
        foreach (var added in services.Skip(before).ToArray())
        {
            if (added.ServiceType == typeof(IConfigurationValidator))
            {
                services.Remove(added);
            }
            else if (added.ServiceType == typeof(IGatewayListProvider))
            {
                services.Remove(added);
                services.Add(new ServiceDescriptor(added.ServiceType, discovery, added.ImplementationType!, added.Lifetime));
            }
        }
    }

    private static List<Uri> Resolve(HeadClusterClientOptions options) =>
        [.. options.StaticGateways.SelectMany(gateway => GatewayAddress.Parse(gateway).Resolve()).Select(endpoint => endpoint.ToGatewayUri())];
}
