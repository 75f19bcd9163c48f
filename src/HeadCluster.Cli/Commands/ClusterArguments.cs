using System.CommandLine;
using HeadCluster.Cli.Clusters;
using HeadCluster.Cli.Output;
using HeadCluster.Silo.CommandLine;
using HeadCluster.Silo.Diagnostics;

namespace HeadCluster.Cli.Commands;

/// <summary>What the commands that work with a cluster have in common: which one, its models, its trace, and the form of the answer.</summary>
internal sealed class ClusterArguments
{
    private readonly Option<string?> _cluster = new("--cluster")
    {
        Description = "Gateway of a running cluster, or where its list of silos is; without it a silo serves within this process.",
        HelpName = ClusterAddress.Form,
    };

    private readonly Option<string?> _clusterId = new("--cluster-id") { Description = "Name of that cluster (headcluster).", HelpName = "name" };
    private readonly Option<string?> _serviceId = new("--service-id") { Description = "Name of the service that it runs (headcluster).", HelpName = "name" };
    private readonly Option<string[]> _models = new("--models") { Description = ModelSetting.Description, HelpName = "name=path" };
    private readonly Option<bool> _json = CreateJsonOption();
    private readonly TelemetryArguments _telemetry = new();

    public static Option<bool> CreateJsonOption() => new("--json") { Description = "Answer with one JSON object." };

    public void AddTo(Command command)
    {
        command.Add(_cluster);
        command.Add(_clusterId);
        command.Add(_serviceId);
        command.Add(_models);
        command.Add(_json);
        _telemetry.AddTo(command);
    }

    public bool WantsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Starts to print or send spans and metrics, if asked for.</summary>
    public TelemetryExport? StartTelemetry(ParseResult parsed) => _telemetry.Start(parsed);

    /// <summary>Waits for some work and shows what for, unless telemetry is printed where that would be shown.</summary>
    public Task<T> WaitAsync<T>(ParseResult parsed, string what, Func<Task<T>> work) =>
        _telemetry.Prints(parsed) ? work() : Terminal.WaitAsync(what, work);

    /// <summary>Joins or starts the cluster.</summary>
    /// <exception cref="HeadClusterException">The options contradict each other, or the cluster cannot be reached.</exception>
    public Task<ClusterSession> OpenAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var models = ModelSetting.ParseAll(parsed.GetValue(_models));
        var (clusterId, serviceId) = (parsed.GetValue(_clusterId), parsed.GetValue(_serviceId));
        var named = clusterId is not null ? _clusterId : serviceId is not null ? _serviceId : null;
        return (parsed.GetValue(_cluster), named, models) switch
        {
            (null, null, _) => WaitAsync(parsed, "Starting a silo", () => ClusterSession.EmbedAsync(models, cancellationToken)),
            (null, _, _) => throw HeadClusterException.InvalidInput($"{named.Name} names a running cluster; say where it is too, with --cluster"),
            (var address, _, []) => WaitAsync(parsed, "Connecting", () => ClusterSession.JoinAsync(address, clusterId, serviceId, cancellationToken)),
            _ => throw HeadClusterException.InvalidInput(
                "--models adds models to a silo of this process; a running cluster has its own, so leave out --models or --cluster"),
        };
    }
}
