namespace HeadCluster.Silo.CommandLine;

/// <summary>How HeadCluster's programs end.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>The work was done and something that should hold did not.</summary>
    public const int Failed = 1;

    /// <summary>What was asked for cannot be done; one line on the error stream says why.</summary>
    public const int Refused = 2;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Cancelled = 130;
}
