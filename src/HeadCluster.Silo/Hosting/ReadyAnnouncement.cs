using HeadCluster.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeadCluster.Silo;

/// <summary>Says in one line that the silo is ready, after everything has started.</summary>
internal sealed partial class ReadyAnnouncement : IHostedLifecycleService
{
    private readonly SiloHostOptions _silo;
    private readonly HeadClusterOptions _served;
    private readonly ILogger<ReadyAnnouncement> _logger;

    public ReadyAnnouncement(SiloHostOptions silo, IOptions<HeadClusterOptions> served, ILogger<ReadyAnnouncement> logger)
    {
        _silo = silo;
        _served = served.Value;
        _logger = logger;
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var models = string.Join(", ", _served.Models.Keys.Order(StringComparer.Ordinal));
        LogReady(_silo.Name, _silo.ClusterId, _silo.SiloPort, _silo.GatewayPort, models.Length == 0 ? "none" : models);
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
}
