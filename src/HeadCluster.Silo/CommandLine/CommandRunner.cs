using System.CommandLine;

namespace HeadCluster.Silo.CommandLine;

/// <summary>Runs a command so that every expected failure is one line on the error stream and an exit code.</summary>
internal static class CommandRunner
{
    /// <param name="root">The program's commands.</param>
    /// <param name="args">Its arguments.</param>
    /// <param name="output">Where help goes.</param>
    /// <param name="cancelWithin">
    /// How long a command may take to stop after Ctrl-C; null where its host listens for Ctrl-C itself.
    /// </param>
    public static async Task<int> RunAsync(RootCommand root, string[] args, TextWriter output, TimeSpan? cancelWithin)
    {
        var parsed = root.Parse(args);
        if (parsed.Action is System.CommandLine.Invocation.ParseErrorAction)
        {
            return Refuse(string.Join("; ", parsed.Errors.Select(error => error.Message.TrimEnd('.'))) + " (--help shows the usage)");
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = cancelWithin,
                Output = output,
            });
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Cancelled;
        }
        catch (Exception exception) when (Complaint.About(exception) is { } complaint)
        {
            return Refuse(complaint);
        }
    }

    private static int Refuse(string complaint)
    {
        var lines = complaint.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Console.Error.WriteLine($"error: {string.Join(' ', lines)}");
        return ExitCode.Refused;
    }
}
