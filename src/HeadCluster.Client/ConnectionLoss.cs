using Microsoft.Extensions.Logging;

namespace HeadCluster.Client;

/// <summary>
/// Ends the calls that wait for an answer when the last gateway is gone: their answers went with the connection, and Orleans
/// would let them wait out their timeout.
/// </summary>
internal sealed partial class ConnectionLoss : IClusterConnectionStatusObserver, IDisposable
{
    private readonly ILogger<ConnectionLoss> _logger;
    private CancellationTokenSource _lost = new();

    public ConnectionLoss(ILogger<ConnectionLoss> logger) => _logger = logger;

    /// <summary>Cancelled when the connection that a call made now would use is lost.</summary>
    public CancellationToken Token => Volatile.Read(ref _lost).Token;

    /// <inheritdoc/>
    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
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
