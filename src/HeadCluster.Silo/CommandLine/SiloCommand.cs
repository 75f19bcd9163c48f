using System.CommandLine;
using HeadCluster.Hosting;
using HeadCluster.Scheduling;
using HeadCluster.Silo.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Silo.CommandLine;

/// <summary>The silo program: its options override configuration keys, and it runs until it is told to stop.</summary>
internal sealed class SiloCommand
{
    private const string SchedulingSection = $"{HeadClusterOptions.Section}:{nameof(HeadClusterOptions.Scheduling)}";

    private readonly Dictionary<Option, string> _keys = [];
    private readonly Option<string[]> _models = new("--models") { Description = ModelSetting.Description, HelpName = "name=path" };
    private readonly TelemetryArguments _telemetry = new();

    private readonly Option<bool> _noRebalance = new("--no-rebalance") { Description = "Heads stay where they are first put, until a plan is applied." };

    public RootCommand Create()
    {
        var command = new RootCommand("Starts a silo that hosts attention heads.")
        {
            Port("--silo-port", nameof(SiloHostOptions.SiloPort), "Port on which silos talk to each other (11111)."),
            Port("--gateway-port", nameof(SiloHostOptions.GatewayPort), "Port on which clients connect (30000)."),
            Port("--health-port", nameof(SiloHostOptions.HealthPort), "Port of /health/live and /health/ready (none)."),
            Port("--page-port", nameof(SiloHostOptions.PagePort), "Port of the page that shows every head, on this machine alone (none)."),
            Text("--clustering", nameof(SiloHostOptions.Clustering), "How silos find each other: Localhost, Redis or AdoNet (Localhost).", "how"),
            Text("--connection-string", nameof(SiloHostOptions.ConnectionString), "Where Redis or PostgreSQL is, such as localhost:6379.", "text"),
            Text("--advertised-address", nameof(SiloHostOptions.AdvertisedAddress), "Where others reach this silo (an address of this machine).", "host"),
            Port("--primary-port", nameof(SiloHostOptions.PrimaryPort), "With Localhost, silo port of the first silo, which the others join (11111)."),
            Text("--cluster-id", nameof(SiloHostOptions.ClusterId), "Name of the cluster (headcluster).", "name"),
            Text("--name", nameof(SiloHostOptions.Name), "Name of the silo (silo- or the machine's name, and its port).", "name"),
            Text("--strategy", SchedulingSection, nameof(SchedulingOptions.Strategy), "How heads are placed: Measured, Capacity, Even or Pinned (Measured).", "name"),
            _noRebalance,
            _models,
        };
        _telemetry.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var builder = SiloHost.CreateBuilder(Settings(parsed));
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.AddHostedService<ReadyAnnouncement>();
        builder.Services.AddSingleton<Rehearsal>();
        using var host = builder.Build();
        host.CheckSettings();
        var options = host.Services.GetRequiredService<SiloHostOptions>();
        await SiloPorts.CheckAsync(options, TimeProvider.System, cancellationToken);
        if (options.Rehearse)
        {
            await host.Services.GetRequiredService<Rehearsal>().RunAsync(cancellationToken);
        }

        using var telemetry = _telemetry.Start(parsed);
        await host.RunAsync(cancellationToken);
        return ExitCode.Success;
    }

    private List<KeyValuePair<string, string?>> Settings(ParseResult parsed)
    {
        var settings = new List<KeyValuePair<string, string?>>();
        foreach (var (option, key) in _keys)
        {
            if (parsed.GetResult(option) is { } given)
            {
                settings.Add(KeyValuePair.Create(key, given.GetValueOrDefault<object>()?.ToString()));
            }
        }

        if (parsed.GetValue(_noRebalance))
        {
            settings.Add(KeyValuePair.Create($"{SchedulingSection}:{nameof(SchedulingOptions.Automatic)}", (string?)bool.FalseString));
        }

        settings.AddRange(ModelSetting.ParseAll(parsed.GetValue(_models)));
        return settings;
    }

    private Option<int> Port(string name, string property, string description)
    {
        var option = WholeNumber.Option(name, "a port, 1 to 65535");
        option.Description = description;
        option.HelpName = "port";
        return Keyed(option, SiloHostOptions.Section, property);
    }

    private Option<string> Text(string name, string property, string description, string help) =>
        Text(name, SiloHostOptions.Section, property, description, help);

    private Option<string> Text(string name, string section, string property, string description, string help) => Keyed(new Option<string>(name)
    {
        Description = description,
        HelpName = help,
    }, section, property);

    private TOption Keyed<TOption>(TOption option, string section, string property)
        where TOption : Option
    {
        _keys.Add(option, $"{section}:{property}");
        return option;
    }
}
