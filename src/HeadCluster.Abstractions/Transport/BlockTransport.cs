using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace HeadCluster.Transport;

/// <summary>Replaces the sockets of Orleans by those that read in large pieces.</summary>
internal static class BlockTransport
{
    /// <summary>
    /// Replaces every connection factory and listener that is registered so far. Orleans keeps them under keys that only it
    /// knows, one each for silos, gateways and clients.
    /// </summary>
    public static void Use(IServiceCollection services)
    {
        var replaced = 0;
        for (var i = 0; i < services.Count; i++)
        {
            var type = services[i] switch
            {
                { IsKeyedService: true } service when service.ServiceType == typeof(IConnectionFactory) => typeof(BlockConnector),
                { IsKeyedService: true } service when service.ServiceType == typeof(IConnectionListenerFactory) => typeof(BlockListener.Factory),
                _ => null,
            };
            if (type is not null)
            {
                services[i] = new ServiceDescriptor(services[i].ServiceType, services[i].ServiceKey, type, ServiceLifetime.Singleton);
                replaced++;
            }
        }

        if (replaced == 0)
        {
            throw new InvalidOperationException("Orleans has registered no sockets yet; add it first");
        }
    }
}
