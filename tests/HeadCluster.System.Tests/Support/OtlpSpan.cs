using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>A span as OTLP carries it.</summary>
internal sealed record OtlpSpan(
    string Name,
    string TraceId,
    string Id,
    string? ParentId,
    IReadOnlyDictionary<string, object> Resource,
    IReadOnlyDictionary<string, object> Attributes,
    ulong Nanoseconds)
{
    // ResourceSpans: 1 resource with 1 attributes, 2 scope_spans with 2 spans.
    public static List<OtlpSpan> ReadAll(ReadOnlySpan<byte> resourceSpans)
    {
        var spans = new List<OtlpSpan>();
        var about = new Dictionary<string, object>();
        for (var resource = new ProtobufReader(resourceSpans); resource.Read();)
        {
            for (var scope = new ProtobufReader(resource.Field <= 2 ? resource.Bytes : default); scope.Read();)
            {
                if (resource.Field == 1 && scope.Field == 1 && OtlpAttributes.Read(scope.Bytes) is (var key, { } value))
                {
                    about[key] = value;
                }
                else if (resource.Field == 2 && scope.Field == 2)
                {
                    spans.Add(Read(scope.Bytes, about));
                }
            }
        }

        return spans;
    }

    private static OtlpSpan Read(ReadOnlySpan<byte> message, Dictionary<string, object> resource)
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
                case 9 when OtlpAttributes.Read(span.Bytes) is (var key, { } value):
                    attributes[key] = value;
                    break;
            }
        }

        return new OtlpSpan(name, trace, id, parent, resource, attributes, end - start);
    }
}
