namespace HeadCluster.Grains;

/// <summary>Ordinary calls of heads, made again where they may have been lost.</summary>
/// <remarks>
/// Orleans ends the calls to a silo when that is found dead, but one that another silo passed on to it, or that is made when it has just died,
/// is never answered. To ask twice is harmless: the same x gives the same bits.
/// </remarks>
internal static class HeadCalls
{
    /// <summary>A head that is active says at once where it is, and to ask once more costs next to nothing.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    /// <summary>Asks where a head is, which activates it if it is not active.</summary>
    public static Task<SiloAddress> FindAsync(IAttentionHeadGrain head, TimeProvider time, CancellationToken cancellationToken) =>
        // The first may only wait for a head that reads its weights: whichever is answered first.
        FirstAsync(head.LocateAsync, isLost: static _ => Task.FromResult(true), time, cancellationToken);

    /// <summary>Has a head compute, and asks once more where it has come back if it is not where it was when it was asked.</summary>
    public static async Task<HeadResult> AttendAsync(
        IAttentionHeadGrain head, HeadRequest request, TimeProvider time, CancellationToken cancellationToken)
    {
        var asked = await FindAsync(head, time, cancellationToken);
        return await FirstAsync(end => head.AttendAsync(request, end), HasLeftAsync, time, cancellationToken);

        async Task<bool> HasLeftAsync(CancellationToken end)
        {
            var before = asked;
            asked = await FindAsync(head, time, end);
            return !asked.Equals(before);
        }
    }

    // The first answer of a call and of those that are made again while it may be lost. The others are ended.
    private static async Task<T> FirstAsync<T>(
        Func<CancellationToken, Task<T>> call, Func<CancellationToken, Task<bool>> isLost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var calls = new List<Task<T>>();
        try
        {
            while (true)
            {
                calls.Add(call(end.Token));
                var answered = Task.WhenAny(calls);
                do
                {
                    try
                    {
                        await answered.WaitAsync(AskAgain, time, end.Token);
                    }
                    catch (TimeoutException)
                    {
                    }

                    // Also what came as the time was up.
                    if (answered.IsCompleted)
                    {
                        return await await answered;
                    }
                }
                while (!await isLost(end.Token));
            }
        }
        finally
        {
            await end.CancelAsync();
            calls.ForEach(call => call.Ignore());
        }
    }
}
