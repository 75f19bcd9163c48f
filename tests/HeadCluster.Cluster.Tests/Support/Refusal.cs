namespace HeadCluster.Tests;

/// <summary>Asserts how HeadCluster says no.</summary>
internal static class Refusal
{
    /// <summary>Asserts that a call fails with one line that has all of some words, and that sending it again cannot help.</summary>
    public static async Task<HeadClusterException> OfAsync(Func<Task> call, params IEnumerable<string> words)
    {
        var error = await Assert.ThrowsAsync<HeadClusterException>(call);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(error.IsTransient);
        return error;
    }
}
