using System.CommandLine;

namespace HeadCluster.Silo.Diagnostics;

/// <summary>The options of a command that say which telemetry is printed.</summary>
internal sealed class TelemetryArguments
{
    private readonly Option<string?> _trace = Console("--trace", "Print spans");
    private readonly Option<string?> _metrics = Console("--metrics", "Print metrics");

    private readonly Option<bool> _calls = new("--trace-calls")
    {
        Description = "With the spans, printed or sent, those of Orleans' grain calls too.",
    };

    public void AddTo(Command command)
    {
        command.Add(_trace);
        command.Add(_metrics);
        command.Add(_calls);
    }

    /// <summary>Whether something is printed while the command runs.</summary>
    public bool Prints(ParseResult parsed) => parsed.GetValue(_trace) is not null || parsed.GetValue(_metrics) is not null;

    /// <summary>Starts what is asked for and what the environment asks for; null if that is nothing.</summary>
    public TelemetryExport? Start(ParseResult parsed) => TelemetryExport.Start(
        printSpans: parsed.GetValue(_trace) is not null,
        printMetrics: parsed.GetValue(_metrics) is not null,
        grainCalls: parsed.GetValue(_calls));

    private static Option<string?> Console(string name, string what)
    {
        var option = new Option<string?>(name) { Description = $"{what}: console.", HelpName = "console" };
        return option.AcceptOnlyFromAmong("console");
    }
}
