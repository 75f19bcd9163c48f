namespace HeadCluster.Grains;

/// <summary>A call between silos that is made again where it may have been lost.</summary>
/// <remarks>
/// Orleans ends the calls to a silo when that is found dead, but one that another silo passed on to it, or that is made when it has just died,
/// is never answered. To ask twice is harmless: the same x gives the same bits.
/// </remarks>
internal static class RepeatedCall
{
    /// <summary>What is there says so at once, and to ask once more costs next to nothing.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    /// <summary>The first answer of a call and of those that are made again while it may be lost. The others are ended.</summary>
    /// <param name="call">Makes the call.</param>
    /// <param name="isLost">Whether those that were made may be lost; asked from time to time.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends all of them.</param>
    public static async Task<T> FirstAsync<T>(
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
                while (!await isLost(end.Token) || calls.Exists(call => call.IsCompleted));
            }
        }
        finally
        {
            await end.CancelAsync();
            calls.ForEach(call => call.Ignore());
        }
    }
}
