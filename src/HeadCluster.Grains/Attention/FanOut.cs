using System.Runtime.ExceptionServices;

namespace HeadCluster.Grains;

/// <summary>Asks all heads of a layer at once.</summary>
internal static class FanOut
{
    /// <summary>
    /// Calls every head and gathers the results in the order of the heads. When one fails, the others are cancelled, since
    /// nobody will read what they compute, and the first failure is thrown. When one does not fit into the memory of its silo,
    /// the others are waited for instead and then let go of theirs, wherever they are: a call that was cancelled may still load
    /// its head, and nobody would know.
    /// </summary>
    /// <exception cref="HeadClusterException">A head refused, or its silo could not be reached.</exception>
    public static async Task<HeadResult[]> GatherAsync(
        IAttentionHeadGrain[] heads,
        Func<IAttentionHeadGrain, CancellationToken, Task<HeadResult>> call,
        CancellationToken cancellationToken)
    {
        using var siblings = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? failure = null;
        var withoutMemory = new HashSet<IAttentionHeadGrain>();
        var calls = Array.ConvertAll(heads, CallAsync);
        var results = await Task.WhenAll(calls);
        if (withoutMemory.Count > 0)
        {
            await WeightRelease.AllAsync(heads.Where(head => !withoutMemory.Contains(head)));
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return results!;

        async Task<HeadResult?> CallAsync(IAttentionHeadGrain head)
        {
            try
            {
                return await call(head, siblings.Token);
            }
            catch (Exception exception)
            {
                // All calls of one fan-out run in the turns of one activation, so nothing races for the first place.
                failure ??= Explain(head, exception);
                if (exception is HeadClusterException { Kind: HeadClusterErrorKind.OutOfMemory })
                {
                    withoutMemory.Add(head);
                }
                else
                {
                    await siblings.CancelAsync();
                }

                return null;
            }
        }
    }

    // What is not already an answer in HeadCluster's own words is a silo that could not be reached or did not answer.
    private static Exception Explain(IAttentionHeadGrain head, Exception exception) => exception switch
    {
        HeadClusterException or OperationCanceledException => exception,
        OrleansException or TimeoutException => new HeadClusterException(
            HeadClusterErrorKind.Unavailable,
            $"head {head.GetPrimaryKeyString()} did not answer: {exception.Message.ReplaceLineEndings(" ")}"),
        _ => exception,
    };
}
