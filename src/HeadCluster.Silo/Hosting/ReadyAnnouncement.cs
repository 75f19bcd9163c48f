using HeadCluster.Grains;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Silo;

/// <summary>Says in one line that the silo is ready, after everything has started, and in one each which of its models cannot be used.</summary>
internal sealed partial class ReadyAnnouncement : IHostedLifecycleService
{
    private readonly SiloHostOptions _silo;
    private readonly ModelCatalog _models;
    private readonly ILogger<ReadyAnnouncement> _logger;

    public ReadyAnnouncement(SiloHostOptions silo, ModelCatalog models, ILogger<ReadyAnnouncement> logger)
    {
        _silo = silo;
        _models = models;
        _logger = logger;
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var (models, broken) = _models.DescribeAll();
        foreach (var model in broken)
        {
            LogBroken(model.Error.ReplaceLineEndings(" "));
        }

        var names = models.Length == 0 ? "none" : string.Join(", ", models.Select(model => model.Name));
        LogReady(_silo.Name, _silo.ClusterId, _silo.SiloPort, _silo.GatewayPort, names);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message =
        "{Name} is ready: cluster {ClusterId}, silo port {SiloPort}, gateway port {GatewayPort}, models: {Models}")]
    private partial void LogReady(string name, string clusterId, int siloPort, int gatewayPort, string models);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "cannot be used: {Error}")]
    private partial void LogBroken(string error);
}
