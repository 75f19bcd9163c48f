using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Silo;

/// <summary>
/// Lets the requests that run when the silo is told to stop finish before anything stops: a request calls one grain after the other,
/// and a silo that is leaving starts no grain.
/// </summary>
internal sealed partial class FinishRequests : IHostedLifecycleService
{
    // An answer of many megabytes is still on its way when its call has ended, and Orleans does not say when it has left.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    private readonly RunningRequests _running;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _time;
    private readonly ILogger<FinishRequests> _logger;

    public FinishRequests(RunningRequests running, SiloHostOptions options, TimeProvider time, ILogger<FinishRequests> logger)
    {
        _running = running;
        _limit = options.ShutdownTimeout / 2;
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_limit, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var ended = _running.WaitAsync(end.Token);
            if (!ended.IsCompleted)
            {
                await ended;
                await Task.Delay(AnswerTime, _time, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            LogNotFinished(_limit);
        }
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message =
        "Some requests did not finish within {Limit} of being told to stop; they are cut off (HeadCluster:Silo:ShutdownTimeout)")]
    private partial void LogNotFinished(TimeSpan limit);
}
