namespace HeadCluster.Tests.Attention;

/// <summary>Calls that nobody answers, as those to a silo that has died.</summary>
public sealed class LostCallTests
{
    private const string Model = "random:gpt2-small?layers=1";

    // Without the second question it would not end.
    [Fact(Timeout = 60_000)]
    public async Task A_head_that_does_not_say_where_it_is_is_asked_again()
    {
        var stop = TestContext.Current.CancellationToken;
        var lost = 0;
        var end = new TaskCompletionSource();
        await using var cluster = await BareCluster.StartAsync(1, silo => silo.AddIncomingGrainCallFilter(call =>
            call.MethodName == nameof(IAttentionHeadGrain.LocateAsync) && Interlocked.Exchange(ref lost, 1) == 0
                ? end.Task
                : call.Invoke()));

        var result = await cluster.Client.GetGrain<IMultiHeadAttentionGrain>(new LayerId(Model, 0).ToString())
            .AttendAsync(new AttentionRequest(Matrices.Random(10, 768)), stop);

        Assert.Equal(12, result.Heads.Length);
        Assert.Equal(1, lost);

        // So that the silo can stop.
        end.SetResult();
    }
}
