using HeadCluster.Tests;

namespace HeadCluster.System.Tests;

/// <summary>Attributes as OTLP carries them.</summary>
internal static class OtlpAttributes
{
    // KeyValue: 1 key, 2 value, which is AnyValue: 1 text, 3 integer, 4 double.
    public static (string Key, object? Value) Read(ReadOnlySpan<byte> message)
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
