using System.Net;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>
/// Takes what programs send by OTLP over HTTP with protobuf, as a collector does:
/// https://github.com/open-telemetry/opentelemetry-proto.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly Lock _lock = new();
    private readonly List<OtlpSpan> _spans = [];
    private readonly HashSet<string> _metrics = [];
    private readonly Dictionary<string, OtlpSeries> _series = [];

    public OtlpReceiver()
    {
        Endpoint = $"http://127.0.0.1:{SiloProcess.FreePorts(1)[0]}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Endpoint { get; }

    /// <summary>The standard variables that make a program send here.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Endpoint,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
    };

    /// <summary>The spans that have come.</summary>
    public IReadOnlyList<OtlpSpan> Spans
    {
        get
        {
            lock (_lock)
            {
                return [.. _spans];
            }
        }
    }

    /// <summary>Names and units of the metrics that have come.</summary>
    public IReadOnlySet<string> Metrics
    {
        get
        {
            lock (_lock)
            {
                return _metrics.ToHashSet();
            }
        }
    }

    /// <summary>The series of one histogram that have come, each as it was told last.</summary>
    public IReadOnlyList<OtlpSeries> Series(string metric)
    {
        lock (_lock)
        {
            return [.. _series.Values.Where(series => series.Metric == metric)];
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            lock (_lock)
            {
                Take(context.Request.Url!.AbsolutePath, body.ToArray());
            }

            // An empty answer says that all was taken.
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }

    private void Take(string path, ReadOnlySpan<byte> request)
    {
        for (var message = new ProtobufReader(request); message.Read();)
        {
            if (path == "/v1/traces")
            {
                _spans.AddRange(OtlpSpan.ReadAll(message.Bytes));
            }
            else
            {
                var (metrics, series) = OtlpSeries.ReadAll(message.Bytes);
                _metrics.UnionWith(metrics);
                series.ForEach(one => _series[one.Name] = one);
            }
        }
    }
}
