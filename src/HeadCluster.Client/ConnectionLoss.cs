using Microsoft.Extensions.Logging;

namespace HeadCluster.Client;

/// <summary>
/// Tells of gateways that are lost, with which an answer may have gone: Orleans would let its caller wait out the timeout. When the
/// last one is gone, it ends the calls that wait.
/// </summary>
internal sealed partial class ConnectionLoss : IClusterConnectionStatusObserver, IDisposable
{
    private readonly ILogger<ConnectionLoss> _logger;
    private CancellationTokenSource _lost = new();
    private TaskCompletionSource _gatewayLost = NewLoss();

    public ConnectionLoss(ILogger<ConnectionLoss> logger) => _logger = logger;

    /// <summary>Cancelled when the connection that a call made now would use is lost.</summary>
    public CancellationToken Token => Volatile.Read(ref _lost).Token;

    /// <summary>Completes when a gateway is lost from now on; it may not be the one that a call uses.</summary>
    public Task GatewayLost => Volatile.Read(ref _gatewayLost).Task;

    /// <inheritdoc/>
    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        if (currentNumberOfGateways < previousNumberOfGateways)
        {
            Interlocked.Exchange(ref _gatewayLost, NewLoss()).SetResult();
        }
    }

    /// <inheritdoc/>
    public void NotifyClusterConnectionLost()
    {
        // Not disposed: a call may be about to take its token, and a source without a timer holds nothing.
        var lost = Interlocked.Exchange(ref _lost, new CancellationTokenSource());
        _ = EndCallsAsync(lost);
    }

    /// <inheritdoc/>
    public void Dispose() => _lost.Dispose();

    private static TaskCompletionSource NewLoss() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Orleans waits for no observer, and a call that could not be ended must not keep the others waiting.
    private async Task EndCallsAsync(CancellationTokenSource lost)
    {
        try
        {
            await lost.CancelAsync();
        }
        catch (Exception exception)
        {
            LogCallsNotEnded(exception);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Calls that waited when the connection was lost could not be ended")]
    private partial void LogCallsNotEnded(Exception exception);
}
