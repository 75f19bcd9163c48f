using HeadCluster.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeadCluster.System.Tests.Client;

public sealed class GrainCallsTests
{
    [Fact]
    public async Task A_request_whose_answer_comes_after_it_is_served_no_more_is_not_sent_again()
    {
        using var loss = new ConnectionLoss(NullLogger<ConnectionLoss>.Instance);
        var calls = new GrainCalls(loss, HeadClusterClientOptions.DefaultRetryTimeout, timeLimit: null, new StoppedTime());
        var answer = new TaskCompletionSource<int>();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = 0;

        var request = calls.CallAsync(
            _ =>
            {
                sent++;
                return answer.Task;
            },
            _ =>
            {
                asked.TrySetResult();
                return Task.FromResult(false);
            },
            TestContext.Current.CancellationToken);
        loss.NotifyGatewayCountChanged(currentNumberOfGateways: 1, previousNumberOfGateways: 2, connectionRecovered: false);
        await asked.Task.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken);
        answer.SetResult(7);

        Assert.Equal(7, await request.WaitAsync(Programs.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(1, sent);
    }

    // Nothing that waits for a time to pass goes on.
    private sealed class StoppedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer();

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
