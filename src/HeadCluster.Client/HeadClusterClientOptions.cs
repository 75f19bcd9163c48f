namespace HeadCluster.Client;

/// <summary>Which cluster a client joins and how long it waits for it.</summary>
public sealed class HeadClusterClientOptions
{
    /// <summary>The gateway of a silo on this machine that sets none.</summary>
    public const string DefaultGateway = "localhost:30000";

    /// <summary>How the client finds the cluster's gateways. Default: <see cref="GatewayDiscovery.Static"/>.</summary>
    public GatewayDiscovery Discovery { get; set; }

    /// <summary>
    /// The gateways of silos, each as <c>host:port</c>; the client connects to all of them and needs one. Used with
    /// <see cref="GatewayDiscovery.Static"/> only. Default: none, which is <see cref="DefaultGateway"/>.
    /// </summary>
    public IList<string> Gateways { get; } = [];

    /// <summary>
    /// Where the list of silos is, as the silos are told it: with <see cref="GatewayDiscovery.Redis"/> as StackExchange.Redis takes
    /// it (<c>host:6379,password=…</c>), with <see cref="GatewayDiscovery.AdoNet"/> as Npgsql takes it
    /// (<c>Host=…;Database=…;Username=…;Password=…</c>). Default: empty.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Name of the cluster; a gateway of another cluster refuses the client. Default: <see cref="ClusterDefaults.Id"/>.</summary>
    public string ClusterId { get; set; } = ClusterDefaults.Id;

    /// <summary>Name of the service that the cluster runs. Default: <see cref="ClusterDefaults.Id"/>.</summary>
    public string ServiceId { get; set; } = ClusterDefaults.Id;

    /// <summary>
    /// How long to go on trying to connect where no silo listens, from 100 milliseconds to 10 minutes; a silo that is only starting is
    /// found within it. One that listens but is too busy to answer is given three times as long. Default: 5 seconds.
    /// </summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a request goes on being sent again, from zero to one hour, when a silo that served it is lost or says that it is
    /// busy: from the first such failure on, and of a generation from that of each token. Zero to be told at once. A request changes
    /// nothing, so that sending it again is safe. Default: 1 minute.
    /// </summary>
    public TimeSpan RetryTimeout { get; set; } = DefaultRetryTimeout;

    /// <summary>
    /// How long an attention or forward request or a whole generation may take, sent again or not, more than zero and at most 10
    /// minutes, unless it sets a limit itself; null for no limit. A request that is not done by then ends on every silo, with an error of kind
    /// <see cref="HeadClusterErrorKind.Timeout"/> that says what was pending. Default: null.
    /// </summary>
    public TimeSpan? TimeLimit { get; set; }

    /// <summary>How long one attempt to connect may take.</summary>
    internal TimeSpan AttemptTimeout => 3 * ConnectTimeout;

    internal static TimeSpan DefaultRetryTimeout => TimeSpan.FromMinutes(1);

    /// <summary>The gateways that were given, or the one that stands for none.</summary>
    internal IEnumerable<string> StaticGateways => Gateways.Count == 0 ? [DefaultGateway] : Gateways;
}
