using System.Diagnostics;
using System.Runtime.InteropServices;

namespace HeadCluster.System.Tests;

/// <summary>The programs as they were built beside these tests, run by the runtime that runs the tests.</summary>
internal static class Programs
{
    /// <summary>The runtime.</summary>
    public static readonly string DotNet = Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    public const string HeadCluster = "headcluster.dll";

    public const string Silo = "HeadCluster.Silo.dll";

    /// <summary>How long anything may take before a test gives up; a measure of hanging, not of speed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Process Start(string program, params IEnumerable<string> args) => Start(program, [], args);

    /// <summary>Starts a program with more environment variables than the tests have.</summary>
    public static Process Start(string program, Dictionary<string, string> environment, IEnumerable<string> args, params string[] launcher)
    {
        string[] command = [.. launcher, DotNet, Path.Combine(AppContext.BaseDirectory, program), .. args];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>A token that ends with the test or when patience does.</summary>
    public static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        return limit;
    }

    /// <summary>Sends a signal, such as <c>TERM</c>, as a terminal or service manager would.</summary>
    public static async Task SignalAsync(Process process, string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are those of Unix");
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }
}
