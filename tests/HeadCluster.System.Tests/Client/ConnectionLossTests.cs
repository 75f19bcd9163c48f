using HeadCluster.Client;
using Microsoft.Extensions.Logging;

namespace HeadCluster.System.Tests.Client;

public sealed class ConnectionLossTests
{
    [Fact]
    public async Task A_call_that_cannot_be_ended_is_told_to_the_log_and_the_others_are_ended()
    {
        var log = new ErrorLog();
        using var loss = new ConnectionLoss(log);
        var ended = new TaskCompletionSource();
        using var first = loss.Token.Register(ended.SetResult);
        using var second = loss.Token.Register(() => throw new InvalidOperationException("will not end"));

        loss.NotifyClusterConnectionLost();

        await ended.Task.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        var error = await log.Error.Task.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        Assert.Contains("will not end", error.ToString(), StringComparison.Ordinal);
        Assert.False(loss.Token.IsCancellationRequested);
    }

    [Fact]
    public void A_lost_gateway_is_told_and_a_new_one_is_not()
    {
        using var loss = new ConnectionLoss(new ErrorLog());
        var first = loss.GatewayLost;
        loss.NotifyGatewayCountChanged(currentNumberOfGateways: 3, previousNumberOfGateways: 2, connectionRecovered: false);
        Assert.False(first.IsCompleted);

        loss.NotifyGatewayCountChanged(currentNumberOfGateways: 2, previousNumberOfGateways: 3, connectionRecovered: false);
        Assert.True(first.IsCompleted);
        Assert.False(loss.GatewayLost.IsCompleted);
        Assert.False(loss.Token.IsCancellationRequested);
    }

    private sealed class ErrorLog : ILogger<ConnectionLoss>
    {
        public TaskCompletionSource<Exception> Error { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error)
            {
                Error.TrySetResult(exception!);
            }
        }
    }
}
