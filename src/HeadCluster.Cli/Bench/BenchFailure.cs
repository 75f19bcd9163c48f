namespace HeadCluster.Cli.Bench;

/// <summary>What was to be measured did not hold or could not be done; the message is one line.</summary>
internal class BenchFailure(string message) : Exception(message);

/// <summary>A port that was free is not any more: with others it may succeed.</summary>
internal sealed class PortTakenFailure(string message) : BenchFailure(message);
