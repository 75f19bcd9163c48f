using System.Diagnostics;

namespace HeadCluster.System.Tests;

/// <summary>Programs of the machine, which may be there or not.</summary>
internal static class Tool
{
    /// <summary>Where a program is; a test that needs one that is nowhere is skipped, and says so.</summary>
    public static string Require(string name, params string[] moreDirectories)
    {
        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Concat(moreDirectories);
        var found = directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, $"{name} is not on this machine");
        return found!;
    }

    /// <summary>Runs a program to its end.</summary>
    public static Task<CommandResult> RunAsync(string path, Dictionary<string, string> environment, params string[] args)
    {
        var start = new ProcessStartInfo(path, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return CommandResult.OfAsync(Process.Start(start)!);
    }

    /// <summary>Runs a program that must succeed, and tells what it printed.</summary>
    public static async Task<string> SucceedAsync(string path, params string[] args)
    {
        var result = await RunAsync(path, [], args);
        Assert.True(result.ExitCode == 0, $"{path} ended with {result.ExitCode}: {result.Error}{result.Output}");
        return result.Output;
    }
}
