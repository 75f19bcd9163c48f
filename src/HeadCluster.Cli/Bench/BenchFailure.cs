namespace HeadCluster.Cli.Bench;

/// <summary>What was to be measured did not hold or could not be done; the message is one line.</summary>
internal sealed class BenchFailure(string message) : Exception(message);
