using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using HeadCluster.Diagnostics;

namespace HeadCluster.Tests.Diagnostics;

public sealed partial class DashboardTests
{
    [Fact]
    public void Every_metric_that_the_dashboard_asks_for_is_one_that_silos_have()
    {
        var tags = new[]
        {
            HeadClusterTelemetry.ModelTag, HeadClusterTelemetry.LayerTag, HeadClusterTelemetry.SiloTag, HeadClusterTelemetry.PeerTag,
        };
        var known = PrometheusNames().Concat(tags.Select(tag => tag.Replace('.', '_'))).ToHashSet();

        var asked = Expressions().SelectMany(expression => OurNames().Matches(expression)).Select(match => match.Value).ToHashSet();

        Assert.Subset(known, asked);
        Assert.True(asked.Count > tags.Length);
    }

    // As Prometheus calls what comes by OTLP: units are suffixes, and a counter is a total.
    private static HashSet<string> PrometheusNames()
    {
        var names = new HashSet<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name == HeadClusterTelemetry.MeterName)
            {
                var unit = instrument.Unit switch
                {
                    "s" => "_seconds",
                    "By" => "_bytes",
                    _ => "",
                };
                var name = instrument.Name.Replace('.', '_') + unit;
                names.UnionWith(instrument switch
                {
                    Histogram<double> => [name + "_bucket", name + "_count"],
                    Counter<long> => [name + "_total"],
                    _ => [name],
                });
            }
        };
        listener.Start();
        using var instruments = new Instruments(Instruments.Silo(5));
        return names;
    }

    private static IEnumerable<string> Expressions()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Repository.Find("deploy", "grafana", "headcluster.json")));
        var targets = dashboard.RootElement.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray());
        var variables = dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray();
        return
        [
            .. targets.Select(target => target.GetProperty("expr").GetString()!),
            .. variables.Select(variable => variable.GetProperty("query").GetProperty("query").GetString()!),
        ];
    }

    [GeneratedRegex("headcluster_[a-z_]+")]
    private static partial Regex OurNames();
}
