namespace HeadCluster.Cli.Bench;

/// <summary>Programs of the system.</summary>
internal static class Tool
{
    // Where some systems keep those that not only administrators use.
    private static readonly string[] SystemFolders = ["/usr/sbin", "/sbin"];

    /// <summary>The path of a Linux program, or null if there is none.</summary>
    public static string? Find(string name) => OperatingSystem.IsLinux()
        ? (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(SystemFolders)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists)
        : null;
}
