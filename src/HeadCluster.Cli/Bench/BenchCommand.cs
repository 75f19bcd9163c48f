using System.CommandLine;
using HeadCluster.Cli.Bench.Patterns;
using HeadCluster.Cli.Bench.Telemetry;
using HeadCluster.Cli.Output;

namespace HeadCluster.Cli.Bench;

/// <summary><c>headcluster bench</c>: what may be measured.</summary>
internal static class BenchCommand
{
    public static Command Create(Terminal terminal) => new("bench", "Measures.")
    {
        new BenchClusterCommand(terminal).Create(),
        new BenchPlanCommand(terminal).Create(),
        new BenchTelemetryCommand(terminal).Create(),
        new BenchPatternsCommand(terminal).Create(),
        new BenchSiloCommand(terminal).Create(),
    };
}
