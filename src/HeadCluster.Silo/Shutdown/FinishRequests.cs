using HeadCluster.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeadCluster.Silo;

/// <summary>
/// When the silo is told to stop, moves its heads to others first, and then lets the requests that run here finish before anything
/// stops: a request calls one grain after the other, and a silo that is leaving starts no grain.
/// </summary>
internal sealed partial class FinishRequests : IHostedLifecycleService
{
    // An answer of many megabytes is still on its way when its call has ended, and Orleans does not say when it has left.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long clients may go on getting answers through this silo after they have been told to send through others. What takes
    /// longer is answered all the same, but only when its client has found out that the silo is gone.
    /// </summary>
    public static readonly TimeSpan ClientsLeaveTime = TimeSpan.FromSeconds(0.5);

    private readonly SiloDrain _drain;
    private readonly RunningRequests _running;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _time;
    private readonly ILogger<FinishRequests> _logger;

    public FinishRequests(SiloDrain drain, RunningRequests running, SiloHostOptions options, TimeProvider time, ILogger<FinishRequests> logger)
    {
        _drain = drain;
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
        await DrainAsync(end.Token);
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

    // What cannot be moved is lost with the silo, and comes back elsewhere by the next call that needs it.
    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _drain.DrainAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            LogNotDrained(exception.Message.ReplaceLineEndings(" "));
        }
    }

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "Not all heads were moved away before this silo stops: {Reason}")]
    private partial void LogNotDrained(string reason);

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message =
        "Some requests did not finish within {Limit} of being told to stop; they are cut off (HeadCluster:Silo:ShutdownTimeout)")]
    private partial void LogNotFinished(TimeSpan limit);
}
