using System.Diagnostics;
using System.Text.Json;

namespace HeadCluster.System.Tests;

/// <summary>How a run of a program ended and what it printed.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The one JSON object that the output is.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Runs <c>headcluster</c> to its end.</summary>
    public static Task<CommandResult> RunAsync(params string[] args) => RunProgramAsync(Programs.HeadCluster, [], args);

    /// <summary>Runs a program with more environment variables to its end.</summary>
    public static Task<CommandResult> RunProgramAsync(string program, Dictionary<string, string> environment, params string[] args) =>
        OfAsync(Programs.Start(program, environment, args));

    /// <summary>Waits until a process has ended; one that does not is killed, with all that it started.</summary>
    /// <param name="started">The process, whose output and error stream nobody else reads.</param>
    public static async Task<CommandResult> OfAsync(Process started)
    {
        using var process = started;
        using var limit = Programs.Limit();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs a command that must succeed.</summary>
    public static async Task<CommandResult> SucceedAsync(params string[] args)
    {
        var result = await RunAsync(args);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
        return result;
    }

    /// <summary>Checks that the command was refused: exit code 2, one line that says why, and nothing of the program's inside.</summary>
    public void AssertRefused(string because)
    {
        Assert.Equal(2, ExitCode);
        Assert.Empty(Output);
        var line = Assert.Single(Error.TrimEnd().Split('\n'));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.Contains(because, line, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", line, StringComparison.Ordinal);
    }
}
