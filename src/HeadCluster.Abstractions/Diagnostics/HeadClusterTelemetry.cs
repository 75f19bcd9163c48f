namespace HeadCluster.Diagnostics;

/// <summary>The names under which HeadCluster's telemetry is found.</summary>
public static class HeadClusterTelemetry
{
    /// <summary>Name of the activity source: spans <c>attention</c>, <c>head</c> and <c>output_projection</c>.</summary>
    public const string ActivitySourceName = "HeadCluster";

    /// <summary>Name of the meter.</summary>
    public const string MeterName = "HeadCluster";

    /// <summary>Span and metric tag: name of the model.</summary>
    public const string ModelTag = "headcluster.model";

    /// <summary>Span and metric tag: index of the layer.</summary>
    public const string LayerTag = "headcluster.layer";

    /// <summary>Span tag: index of the key/value head in its layer.</summary>
    public const string HeadTag = "headcluster.head";

    /// <summary>Span and metric tag: address and generation of the silo, such as <c>10.0.0.7:11111@154549517</c>.</summary>
    public const string SiloTag = "headcluster.silo";

    /// <summary>Span tag: rows of x.</summary>
    public const string RowsTag = "headcluster.rows";

    /// <summary>Span tag: a head's wait for a compute thread, in microseconds.</summary>
    public const string QueueTag = "headcluster.queue_us";

    /// <summary>Span tag: a head's projections, in microseconds.</summary>
    public const string ProjectTag = "headcluster.project_us";

    /// <summary>Span tag: a head's attention, in microseconds.</summary>
    public const string AttendTag = "headcluster.attend_us";

    /// <summary>Span tag: bytes of the head's output.</summary>
    public const string BytesTag = "headcluster.bytes";
}
