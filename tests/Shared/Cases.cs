namespace HeadCluster.Tests;

/// <summary>
/// Data that others recorded, found through the environment variable <c>HEADCLUSTER_CASES</c>. Where it is unset the tests
/// that need it report themselves as skipped.
/// </summary>
internal static class Cases
{
    public const string Variable = "HEADCLUSTER_CASES";

    /// <summary>The path of a case's file or folder, or a skipped test.</summary>
    public static string Find(params string[] path)
    {
        var root = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(root), $"{Variable} does not name the folder of recorded cases");
        return Path.GetFullPath(Path.Combine([root!, .. path]));
    }
}
