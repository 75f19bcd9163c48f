namespace HeadCluster.System.Tests;

/// <summary>Waits for what other processes do and tell nobody.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks again until the answer is yes; fails when patience ends.</summary>
    public static async Task IsTrueAsync(Func<Task<bool>> condition, string what)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !await condition();)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Programs.Patience, $"never: {what}");
            await Task.Delay(Pause, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Sends a request again for as long as the client says that this may help.</summary>
    public static async Task<T> SucceedsAsync<T>(Func<Task<T>> request)
    {
        T? result = default;
        await IsTrueAsync(
            async () =>
            {
                try
                {
                    result = await request();
                    return true;
                }
                catch (HeadClusterException exception) when (exception.IsTransient)
                {
                    return false;
                }
            },
            "a request that succeeds");
        return result!;
    }
}
