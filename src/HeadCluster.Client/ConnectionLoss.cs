namespace HeadCluster.Client;

/// <summary>
/// Ends the calls that wait for an answer when the last gateway is gone: their answers went with the connection, and Orleans
/// would let them wait out their timeout.
/// </summary>
internal sealed class ConnectionLoss : IClusterConnectionStatusObserver, IDisposable
{
    private CancellationTokenSource _lost = new();

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
        _ = lost.CancelAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => _lost.Dispose();
}
