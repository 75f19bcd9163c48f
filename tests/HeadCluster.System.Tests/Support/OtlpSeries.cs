using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>One series of a histogram as OTLP carries it: its tags, and how many measurements there were and their sum, from the start on.</summary>
internal sealed record OtlpSeries(string Metric, IReadOnlyDictionary<string, object> Attributes, ulong Count, double Sum)
{
    /// <summary>What tells it from others.</summary>
    public string Name => Metric + " " + string.Join(' ', Attributes.OrderBy(tag => tag.Key, StringComparer.Ordinal));

    // ResourceMetrics: 2 scope_metrics with 2 metrics. Also tells the names and units of all metrics, histograms or not.
    public static (List<string> Metrics, List<OtlpSeries> Series) ReadAll(ReadOnlySpan<byte> resourceMetrics)
    {
        var (metrics, series) = (new List<string>(), new List<OtlpSeries>());
        for (var resource = new ProtobufReader(resourceMetrics); resource.Read();)
        {
            for (var scope = new ProtobufReader(resource.Field == 2 ? resource.Bytes : default); scope.Read();)
            {
                if (scope.Field == 2)
                {
                    metrics.Add(ReadMetric(scope.Bytes, series));
                }
            }
        }

        return (metrics, series);
    }

    // Metric: 1 name, 3 unit, 9 histogram with 1 data points.
    private static string ReadMetric(ReadOnlySpan<byte> message, List<OtlpSeries> series)
    {
        var (name, unit, first) = ("", "", series.Count);
        for (var metric = new ProtobufReader(message); metric.Read();)
        {
            name = metric.Field == 1 ? metric.Text : name;
            unit = metric.Field == 3 ? metric.Text : unit;
            for (var histogram = new ProtobufReader(metric.Field == 9 ? metric.Bytes : default); histogram.Read();)
            {
                if (histogram.Field == 1)
                {
                    series.Add(ReadPoint(histogram.Bytes));
                }
            }
        }

        for (var i = first; i < series.Count; i++)
        {
            series[i] = series[i] with { Metric = name };
        }

        return $"{name} {unit}";
    }

    // HistogramDataPoint: 4 count, 5 sum, 9 attributes.
    private static OtlpSeries ReadPoint(ReadOnlySpan<byte> message)
    {
        var (count, sum, attributes) = (0UL, 0.0, new Dictionary<string, object>());
        for (var point = new ProtobufReader(message); point.Read();)
        {
            switch (point.Field)
            {
                case 4:
                    count = BitConverter.ToUInt64(point.Bytes);
                    break;
                case 5:
                    sum = BitConverter.ToDouble(point.Bytes);
                    break;
                case 9 when OtlpAttributes.Read(point.Bytes) is (var key, { } value):
                    attributes[key] = value;
                    break;
            }
        }

        return new OtlpSeries(Metric: "", attributes, count, sum);
    }
}
