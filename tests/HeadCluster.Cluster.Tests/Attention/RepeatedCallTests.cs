using HeadCluster.Grains;
using Microsoft.Extensions.Time.Testing;

namespace HeadCluster.Tests.Attention;

public sealed class RepeatedCallTests
{
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task A_call_that_seems_lost_is_made_again_unless_its_answer_came_meanwhile(bool isLost, int expected)
    {
        var clock = new FakeTimeProvider();
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;

        var answering = RepeatedCall.FirstAsync(
            _ =>
            {
                if (++calls == 2)
                {
                    answer.SetResult("second");
                }

                return answer.Task;
            },
            _ =>
            {
                if (!isLost)
                {
                    answer.SetResult("first");
                }

                return Task.FromResult(true);
            },
            clock,
            TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(isLost ? "second" : "first", await answering);
        Assert.Equal(expected, calls);
    }
}
