using System.Net;
using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>A span as OTLP carries it.</summary>
internal sealed record OtlpSpan(
    string Name, string TraceId, string Id, string? ParentId, string Service, IReadOnlyDictionary<string, object> Attributes, ulong Nanoseconds);

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
                TakeSpans(message.Bytes);
            }
            else
            {
                TakeMetrics(message.Bytes);
            }
        }
    }

    // ResourceSpans: 1 resource with 1 attributes, 2 scope_spans with 2 spans.
    private void TakeSpans(ReadOnlySpan<byte> resourceSpans)
    {
        var service = "";
        for (var resource = new ProtobufReader(resourceSpans); resource.Read();)
        {
            for (var scope = new ProtobufReader(resource.Field <= 2 ? resource.Bytes : default); scope.Read();)
            {
                if (resource.Field == 1 && scope.Field == 1 && Attribute(scope.Bytes) is ("service.name", string name))
                {
                    service = name;
                }
                else if (resource.Field == 2 && scope.Field == 2)
                {
                    _spans.Add(Span(scope.Bytes, service));
                }
            }
        }
    }

    // ResourceMetrics: 2 scope_metrics with 2 metrics, each with 1 name and 3 unit.
    private void TakeMetrics(ReadOnlySpan<byte> resourceMetrics)
    {
        for (var resource = new ProtobufReader(resourceMetrics); resource.Read();)
        {
            for (var scope = new ProtobufReader(resource.Field == 2 ? resource.Bytes : default); scope.Read();)
            {
                if (scope.Field == 2)
                {
                    var (name, unit) = ("", "");
                    for (var metric = new ProtobufReader(scope.Bytes); metric.Read();)
                    {
                        name = metric.Field == 1 ? metric.Text : name;
                        unit = metric.Field == 3 ? metric.Text : unit;
                    }

                    _metrics.Add($"{name} {unit}");
                }
            }
        }
    }

    private static OtlpSpan Span(ReadOnlySpan<byte> message, string service)
    {
        var (trace, id, parent, name) = ("", "", (string?)null, "");
        var (start, end) = (0UL, 0UL);
        var attributes = new Dictionary<string, object>();
        for (var span = new ProtobufReader(message); span.Read();)
        {
            switch (span.Field)
            {
                case 1:
                    trace = Convert.ToHexString(span.Bytes);
                    break;
                case 2:
                    id = Convert.ToHexString(span.Bytes);
                    break;
                case 4:
                    parent = span.Bytes.IsEmpty ? null : Convert.ToHexString(span.Bytes);
                    break;
                case 5:
                    name = span.Text;
                    break;
                case 7:
                    start = BitConverter.ToUInt64(span.Bytes);
                    break;
                case 8:
                    end = BitConverter.ToUInt64(span.Bytes);
                    break;
                case 9 when Attribute(span.Bytes) is (var key, { } value):
                    attributes[key] = value;
                    break;
            }
        }

        return new OtlpSpan(name, trace, id, parent, service, attributes, end - start);
    }

    // KeyValue: 1 key, 2 value, which is AnyValue: 1 text, 3 integer, 4 double.
    private static (string Key, object? Value) Attribute(ReadOnlySpan<byte> message)
    {
        var (key, value) = ("", (object?)null);
        for (var pair = new ProtobufReader(message); pair.Read();)
        {
            if (pair.Field == 1)
            {
                key = pair.Text;
                continue;
            }

            for (var any = new ProtobufReader(pair.Bytes); any.Read();)
            {
                value = any.Field switch
                {
                    1 => any.Text,
                    3 => any.Integer,
                    4 => BitConverter.ToDouble(any.Bytes),
                    _ => null,
                };
            }
        }

        return (key, value);
    }
}
