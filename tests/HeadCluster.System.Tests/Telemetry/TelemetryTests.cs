namespace HeadCluster.System.Tests.Telemetry;

/// <summary>Tests that start silos of their own, one after the other: all at once they would only wait for processors.</summary>
[CollectionDefinition(Name)]
public sealed class TelemetryTests
{
    public const string Name = "telemetry";
}
