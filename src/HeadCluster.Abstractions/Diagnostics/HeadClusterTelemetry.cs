namespace HeadCluster.Diagnostics;

/// <summary>The names under which HeadCluster's telemetry is found; docs/observability.md lists spans and metrics.</summary>
public static class HeadClusterTelemetry
{
    /// <summary>
    /// Name of the activity source: spans <c>generate</c>, <c>token</c>, <c>forward</c>, <c>layer</c>, <c>attention</c>,
    /// <c>head</c>, <c>output_projection</c> and <c>feed_forward</c>.
    /// </summary>
    public const string ActivitySourceName = "HeadCluster";

    /// <summary>Name of the meter.</summary>
    public const string MeterName = "HeadCluster";

    /// <summary>
    /// Name of Orleans' activity source of grain calls: one span where a call is made and one where it is served. HeadCluster's
    /// spans join without them; a listener to this source sees them in between.
    /// </summary>
    public const string GrainCallSourceName = "Microsoft.Orleans.Application";

    /// <summary>Span and metric tag: name of the model.</summary>
    public const string ModelTag = "headcluster.model";

    /// <summary>Span and metric tag: index of the layer.</summary>
    public const string LayerTag = "headcluster.layer";

    /// <summary>Span tag, and metric tag where asked for: index of the key/value head in its layer.</summary>
    public const string HeadTag = "headcluster.head";

    /// <summary>Span and metric tag: address and generation of the silo, such as <c>10.0.0.7:11111@154549517</c>.</summary>
    public const string SiloTag = "headcluster.silo";

    /// <summary>Metric tag: the silo at the other end, as <see cref="SiloTag"/>.</summary>
    public const string PeerTag = "headcluster.peer";

    /// <summary>Span and metric tag: what went wrong, the <see cref="HeadClusterErrorKind"/> or the type of an exception.</summary>
    public const string ErrorTag = "error.type";

    /// <summary>Span tag: rows of x, or tokens.</summary>
    public const string RowsTag = "headcluster.rows";

    /// <summary>Span tag: position of a generated token in its sequence.</summary>
    public const string PositionTag = "headcluster.position";

    /// <summary>Span tag: a head's wait for rows and for a compute thread, in microseconds.</summary>
    public const string QueueTag = "headcluster.queue_us";

    /// <summary>Span tag: a head's projections, in microseconds.</summary>
    public const string ProjectTag = "headcluster.project_us";

    /// <summary>Span tag: a head's attention, in microseconds.</summary>
    public const string AttendTag = "headcluster.attend_us";

    /// <summary>Span tag: bytes of the head's output.</summary>
    public const string BytesTag = "headcluster.bytes";
}
