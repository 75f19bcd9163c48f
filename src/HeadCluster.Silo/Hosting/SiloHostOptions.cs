using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HeadCluster.Silo;

/// <summary>Where a silo listens and which cluster it forms or joins; section <c>HeadCluster:Silo</c> of the configuration.</summary>
public sealed class SiloHostOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "HeadCluster:Silo";

    private static readonly TimeSpan LongestShutdown = TimeSpan.FromHours(1);

    /// <summary>Port on which silos talk to each other, 1 to 65535. Default: 11111.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>Port on which clients connect, 1 to 65535 and another than the silo's. Default: 30000.</summary>
    public int GatewayPort { get; set; } = 30000;

    /// <summary>
    /// Port of <c>/health/live</c> and <c>/health/ready</c>, 1 to 65535 and another than the two above; null for none.
    /// Default: null.
    /// </summary>
    public int? HealthPort { get; set; }

    /// <summary>Port of the page that shows what every head does, 1 to 65535 and another than those above; null for none. Default: null.</summary>
    public int? PagePort { get; set; }

    /// <summary>
    /// Address that the page listens on. Nobody has to sign in to it, so let it be one that only those reach who may see tokens and
    /// patterns. Default: <c>127.0.0.1</c>, for this machine alone.
    /// </summary>
    public string PageAddress { get; set; } = IPAddress.Loopback.ToString();

    /// <summary>
    /// Whether the silo counts for the Orleans Dashboard, which is served at <c>/dashboard/</c> of the page; set it on all silos, since
    /// each counts for itself. Default: false.
    /// </summary>
    public bool Dashboard { get; set; }

    /// <summary>
    /// How silos find each other: <c>Localhost</c>, <c>Redis</c> or <c>AdoNet</c>. Default: <see cref="SiloClustering.Localhost"/>.
    /// </summary>
    public SiloClustering Clustering { get; set; }

    /// <summary>
    /// Where the list of silos is: with Redis as StackExchange.Redis takes it (<c>host:6379,password=…</c>), with AdoNet as Npgsql
    /// takes it (<c>Host=…;Database=…;Username=…;Password=…</c>). Not used with Localhost. Default: empty.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Address or host name at which other silos and clients reach this one; a loopback address keeps the cluster on this machine.
    /// With Redis and AdoNet the silo listens on all addresses of its family, unless this is a loopback one. Not used with Localhost,
    /// which is loopback. Default: empty, for the first address of the machine that is not loopback.
    /// </summary>
    public string AdvertisedAddress { get; set; } = "";

    /// <summary>
    /// Silo port of the cluster's first silo, which keeps the list of silos; a silo whose own port it is forms the cluster,
    /// any other joins it. Used with Localhost only. Default: 11111.
    /// </summary>
    public int PrimaryPort { get; set; } = 11111;

    /// <summary>Name of the cluster, the same for all its silos and clients. Default: <see cref="ClusterDefaults.Id"/>.</summary>
    public string ClusterId { get; set; } = ClusterDefaults.Id;

    /// <summary>Name of the service that the cluster runs, the same for all its silos and clients. Default: <see cref="ClusterDefaults.Id"/>.</summary>
    public string ServiceId { get; set; } = ClusterDefaults.Id;

    /// <summary>
    /// Name of the silo in tables, spans and logs; empty for <c>silo-</c> and its port with Localhost, and otherwise for the machine's
    /// name and the port. In Kubernetes it is the pod's name. Default: empty.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// Whether the silo is a pod of Kubernetes and asks it which pods are gone, which needs Redis or AdoNet and the rights in
    /// <c>deploy/k8s</c>. Default: false.
    /// </summary>
    public bool Kubernetes { get; set; }

    /// <summary>
    /// Whether the silo program, before it joins its cluster, serves some requests to itself, so that what serving takes is compiled
    /// when others count on it. It takes three to five seconds of a processor. Default: true.
    /// </summary>
    public bool Rehearse { get; set; } = true;

    /// <summary>
    /// How long a silo that was told to stop may take, 1 second to 1 hour: half of it for the requests that run, and all of it
    /// together with moving off. What starts the silo must wait longer than this before it kills. Default: 1 minute.
    /// </summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How soon a dead silo is found.</summary>
    public FailureDetectionOptions FailureDetection { get; } = new();

    /// <summary>Whether this silo forms the cluster that others join.</summary>
    internal bool IsPrimary => Clustering == SiloClustering.Localhost && SiloPort == PrimaryPort;

    /// <summary>The address that others reach the silo at; null to let Orleans choose.</summary>
    internal IPAddress? Advertised { get; private set; }

    /// <summary>The address that the silo listens on.</summary>
    internal IPAddress Listening => (Clustering, Advertised) switch
    {
        (SiloClustering.Localhost, _) => IPAddress.Loopback,
        (_, { } address) when IPAddress.IsLoopback(address) => address,
        (_, { AddressFamily: AddressFamily.InterNetworkV6 }) => IPAddress.IPv6Any,
        _ => IPAddress.Any,
    };

    /// <summary>The address that the page listens on.</summary>
    internal IPAddress PageListening => IPAddress.Parse(PageAddress);

    /// <summary>Reads the section and says what to change in it, if anything.</summary>
    /// <exception cref="OptionsValidationException">A value is missing or out of range.</exception>
    /// <exception cref="HeadClusterException">A value has not the form that its setting has.</exception>
    internal static SiloHostOptions Read(IConfiguration configuration)
    {
        CheckForm(configuration);
        var options = new SiloHostOptions();
        try
        {
            configuration.GetSection(Section).Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            throw Invalid(exception.Message);
        }

        if (options.Complaint() is { } complaint)
        {
            throw Invalid(complaint);
        }

        options.Advertised = Resolve(options.AdvertisedAddress);
        if (options.Name.Length == 0)
        {
            options.Name = (options.Clustering, options.Kubernetes) switch
            {
                (SiloClustering.Localhost, _) => $"silo-{options.SiloPort}",
                (_, true) => Environment.GetEnvironmentVariable("POD_NAME") ?? Environment.MachineName,
                _ => $"{Environment.MachineName}-{options.SiloPort}",
            };
        }

        return options;
    }

    private static void CheckForm(IConfiguration configuration)
    {
        foreach (var port in (string[])[nameof(SiloPort), nameof(GatewayPort), nameof(PrimaryPort), nameof(HealthPort), nameof(PagePort)])
        {
            SettingForm.CheckNumber<int>(configuration, Section, port);
        }

        SettingForm.CheckChoice<SiloClustering>(configuration, Section, nameof(Clustering));
        SettingForm.CheckSwitch(configuration, Section, nameof(Kubernetes));
        SettingForm.CheckSwitch(configuration, Section, nameof(Dashboard));
        SettingForm.CheckSwitch(configuration, Section, nameof(Rehearse));
        SettingForm.CheckDuration(configuration, Section, nameof(ShutdownTimeout));
        FailureDetectionOptions.CheckForm(configuration);
    }

    private string? Complaint()
    {
        (string Name, int? Port)[] ports =
        [
            (nameof(SiloPort), SiloPort), (nameof(GatewayPort), GatewayPort), (nameof(HealthPort), HealthPort), (nameof(PagePort), PagePort),
            (nameof(PrimaryPort), PrimaryPort),
        ];
        foreach (var (name, port) in ports)
        {
            if (port is < 1 or > IPEndPoint.MaxPort)
            {
                return $"{Section}:{name} is {port}; expected 1 to {IPEndPoint.MaxPort}";
            }
        }

        // The primary port is that of a silo, this one or another.
        if (ports[..^1].Where(port => port.Port is not null).GroupBy(port => port.Port).FirstOrDefault(same => same.Count() > 1) is { } shared)
        {
            return $"{Section}: {string.Join(" and ", shared.Select(port => port.Name))} are both {shared.Key}; give each its own";
        }

        if (!IPAddress.TryParse(PageAddress, out _))
        {
            return $"{Section}:PageAddress is '{PageAddress}'; expected an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all";
        }

        if (string.IsNullOrWhiteSpace(ClusterId) || string.IsNullOrWhiteSpace(ServiceId))
        {
            return $"{Section}: ClusterId and ServiceId must not be empty";
        }

        if (Clustering != SiloClustering.Localhost && string.IsNullOrWhiteSpace(ConnectionString))
        {
            return $"{Section}:ConnectionString is empty; with {Clustering} it says where the list of silos is";
        }

        if (Clustering != SiloClustering.Localhost && SiloList.Complaint(Clustering, ConnectionString) is { } complaint)
        {
            return $"{Section}:ConnectionString {complaint}";
        }

        if (Kubernetes && Clustering == SiloClustering.Localhost)
        {
            return $"{Section}:Kubernetes needs a list of silos that all pods reach; set {Section}:Clustering to Redis or AdoNet";
        }

        if (Kubernetes && Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") is null)
        {
            return $"{Section}:Kubernetes is true and this is no pod of Kubernetes, where KUBERNETES_SERVICE_HOST is set; leave it out";
        }

        return ShutdownTimeout < TimeSpan.FromSeconds(1) || ShutdownTimeout > LongestShutdown
            ? $"{Section}:ShutdownTimeout is {ShutdownTimeout}; expected {TimeSpan.FromSeconds(1)} to {LongestShutdown}"
            : FailureDetection.Complaint();
    }

    private static IPAddress? Resolve(string address)
    {
        if (address.Length == 0 || IPAddress.TryParse(address, out _))
        {
            return address.Length == 0 ? null : IPAddress.Parse(address);
        }

        try
        {
            return Array.Find(Dns.GetHostAddresses(address), found => found.AddressFamily == AddressFamily.InterNetwork)
                ?? throw Invalid($"{Section}:AdvertisedAddress '{address}' has no IPv4 address; give the address itself");
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            throw Invalid($"{Section}:AdvertisedAddress '{address}' is not an address or the name of a host ({exception.Message})");
        }
    }

    private static OptionsValidationException Invalid(string complaint) => new(Section, typeof(SiloHostOptions), [complaint]);
}
