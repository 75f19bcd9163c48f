using System.Net;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using StackExchange.Redis;

namespace HeadCluster.Silo;

/// <summary>Makes a silo find the others of its cluster, and find out when one of them is gone.</summary>
internal static class ClusteringExtensions
{
    /// <summary>Npgsql, by the name that Orleans knows it by.</summary>
    public const string PostgreSql = "Npgsql";

    public static ISiloBuilder UseClustering(this ISiloBuilder silo, SiloHostOptions options)
    {
        switch (options.Clustering)
        {
            case SiloClustering.Redis:
                silo.UseRedisClustering(redis => redis.ConfigurationOptions = ConfigurationOptions.Parse(options.ConnectionString));
                break;
            case SiloClustering.AdoNet:
                silo.UseAdoNetClustering(database =>
                {
                    database.Invariant = PostgreSql;
                    database.ConnectionString = options.ConnectionString;
                });
                break;
            default:
                // It names and binds what the lines below do for the others.
                silo.UseLocalhostClustering(
                    options.SiloPort,
                    options.GatewayPort,
                    new IPEndPoint(IPAddress.Loopback, options.PrimaryPort),
                    options.ServiceId,
                    options.ClusterId);
                return silo.DetectFailures(options.FailureDetection);
        }

        silo.Configure<ClusterOptions>(orleans => (orleans.ClusterId, orleans.ServiceId) = (options.ClusterId, options.ServiceId));
        silo.Configure<EndpointOptions>(orleans =>
        {
            (orleans.SiloPort, orleans.GatewayPort) = (options.SiloPort, options.GatewayPort);
            orleans.AdvertisedIPAddress = options.Advertised ?? orleans.AdvertisedIPAddress ?? throw HeadClusterException.InvalidInput(
                $"this machine has no address but loopback ones; say where others reach the silo, with {SiloHostOptions.Section}:{nameof(SiloHostOptions.AdvertisedAddress)} (--advertised-address)");
            orleans.SiloListeningEndpoint = new IPEndPoint(options.Listening, options.SiloPort);
            orleans.GatewayListeningEndpoint = new IPEndPoint(options.Listening, options.GatewayPort);
        });
        if (options.Kubernetes)
        {
            silo.UseKubernetesHosting();
        }

        return silo.DetectFailures(options.FailureDetection);
    }

    private static ISiloBuilder DetectFailures(this ISiloBuilder silo, FailureDetectionOptions options) =>
        silo.Configure<ClusterMembershipOptions>(orleans =>
        {
            orleans.ProbeTimeout = options.ProbeTimeout;
            orleans.MaxProbeTimeout = options.MaxProbeTimeout;
            orleans.NumMissedProbesLimit = options.MissedProbes;
            orleans.NumVotesForDeathDeclaration = options.Votes;
            orleans.TableRefreshTimeout = options.TableRefreshPeriod;
            orleans.IAmAliveTablePublishTimeout = options.AlivePeriod;
        });
}
