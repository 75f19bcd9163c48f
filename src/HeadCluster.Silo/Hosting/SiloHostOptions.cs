using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HeadCluster.Silo;

/// <summary>Where a silo listens and which cluster it forms or joins; section <c>HeadCluster:Silo</c> of the configuration.</summary>
public sealed class SiloHostOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "HeadCluster:Silo";

    /// <summary>Port on which silos talk to each other, 1 to 65535. Default: 11111.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>Port on which clients connect, 1 to 65535 and another than the silo's. Default: 30000.</summary>
    public int GatewayPort { get; set; } = 30000;

    /// <summary>
    /// Silo port of the cluster's first silo, which keeps the list of silos; a silo whose own port it is forms the cluster,
    /// any other joins it. Default: 11111.
    /// </summary>
    public int PrimaryPort { get; set; } = 11111;

    /// <summary>Name of the cluster, the same for all its silos and clients. Default: <see cref="ClusterDefaults.Id"/>.</summary>
    public string ClusterId { get; set; } = ClusterDefaults.Id;

    /// <summary>Name of the service that the cluster runs, the same for all its silos and clients. Default: <see cref="ClusterDefaults.Id"/>.</summary>
    public string ServiceId { get; set; } = ClusterDefaults.Id;

    /// <summary>Name of the silo in tables, spans and logs; empty for <c>silo-</c> and its port. Default: empty.</summary>
    public string Name { get; set; } = "";

    /// <summary>Whether this silo forms the cluster that others join.</summary>
    internal bool IsPrimary => SiloPort == PrimaryPort;

    /// <summary>Reads the section and says what to change in it, if anything.</summary>
    /// <exception cref="OptionsValidationException">A value is missing or out of range.</exception>
    /// <exception cref="HeadClusterException">A port is not a number.</exception>
    internal static SiloHostOptions Read(IConfiguration configuration)
    {
        foreach (var port in (string[])[nameof(SiloPort), nameof(GatewayPort), nameof(PrimaryPort)])
        {
            NumberSetting.Check<int>(configuration, Section, port);
        }

        var options = new SiloHostOptions();
        try
        {
            configuration.GetSection(Section).Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            throw Invalid(exception.Message);
        }

        CheckPort(options.SiloPort, nameof(SiloPort));
        CheckPort(options.GatewayPort, nameof(GatewayPort));
        CheckPort(options.PrimaryPort, nameof(PrimaryPort));
        if (options.SiloPort == options.GatewayPort)
        {
            throw Invalid($"{Section}: SiloPort and GatewayPort are both {options.SiloPort}; give each its own");
        }

        if (string.IsNullOrWhiteSpace(options.ClusterId) || string.IsNullOrWhiteSpace(options.ServiceId))
        {
            throw Invalid($"{Section}: ClusterId and ServiceId must not be empty");
        }

        if (options.Name.Length == 0)
        {
            options.Name = $"silo-{options.SiloPort}";
        }

        return options;
    }

    private static void CheckPort(int port, string name)
    {
        if (port is < 1 or > IPEndPoint.MaxPort)
        {
            throw Invalid($"{Section}:{name} is {port}; expected 1 to {IPEndPoint.MaxPort}");
        }
    }

    private static OptionsValidationException Invalid(string complaint) => new(Section, typeof(SiloHostOptions), [complaint]);
}
