using System.Diagnostics;
using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>Spans and metrics of heads and layers. With nobody listening, nothing is allocated and nothing is measured.</summary>
internal sealed class HeadInstruments
{
    private static readonly ActivitySource Source = new(HeadClusterTelemetry.ActivitySourceName);

    private readonly Histogram<double> _headDuration;
    private readonly Histogram<double> _queueDuration;
    private readonly Histogram<double> _attentionDuration;
    private readonly Counter<long> _headBytes;
    private readonly Counter<long> _attentionErrors;

    private readonly string _silo;
    private readonly TimeProvider _time;

    public HeadInstruments(IMeterFactory meters, ILocalSiloDetails silo, TimeProvider time)
    {
        _time = time;
        _silo = silo.SiloAddress.ToParsableString();
        var meter = meters.Create(HeadClusterTelemetry.MeterName);
        _headDuration = meter.CreateHistogram<double>("headcluster.head.duration", "s", "Projections and attention of a head");
        _queueDuration = meter.CreateHistogram<double>("headcluster.queue.duration", "s", "A head's wait for a compute thread");
        _attentionDuration = meter.CreateHistogram<double>("headcluster.attention.duration", "s", "A layer: heads and output projection");
        _headBytes = meter.CreateCounter<long>("headcluster.head.bytes", "By", "Outputs of a head");
        _attentionErrors = meter.CreateCounter<long>(
            "headcluster.attention.errors", "{request}", "Requests that a layer took on and that failed; cancelled ones are none");
    }

    /// <summary>A head begins a request. Dispose the result when it has ended, completed or not.</summary>
    public HeadMeasurement StartHead(HeadId head, int rows)
    {
        var activity = Source.StartActivity("head");
        if (activity is { IsAllDataRequested: true })
        {
            Describe(activity, head.LayerId, rows);
            activity.SetTag(HeadClusterTelemetry.HeadTag, head.KvHead);
        }

        return new HeadMeasurement(this, activity, head);
    }

    /// <summary>A layer begins a request. Dispose the result when it has ended, completed or not.</summary>
    public AttentionMeasurement StartAttention(LayerId layer, int rows)
    {
        var activity = Source.StartActivity("attention");
        if (activity is { IsAllDataRequested: true })
        {
            Describe(activity, layer, rows);
        }

        return new AttentionMeasurement(this, activity, layer);
    }

    /// <summary>The output projection of the layer whose span is current begins.</summary>
    public static Activity? StartOutputProjection() => Source.StartActivity("output_projection");

    private void Describe(Activity activity, LayerId layer, int rows)
    {
        activity.SetTag(HeadClusterTelemetry.ModelTag, layer.Model);
        activity.SetTag(HeadClusterTelemetry.LayerTag, layer.Layer);
        activity.SetTag(HeadClusterTelemetry.SiloTag, _silo);
        activity.SetTag(HeadClusterTelemetry.RowsTag, rows);
    }

    private TagList Tags(LayerId layer) => new()
    {
        { HeadClusterTelemetry.ModelTag, layer.Model },
        { HeadClusterTelemetry.LayerTag, layer.Layer },
        { HeadClusterTelemetry.SiloTag, _silo },
    };

    /// <summary>One request of a head.</summary>
    internal readonly struct HeadMeasurement(HeadInstruments instruments, Activity? activity, HeadId head) : IDisposable
    {
        /// <summary>The head was computed; without this the span ends as an error.</summary>
        public void Complete(HeadComputation computation)
        {
            var bytes = computation.OutputBytes;
            if (activity is { IsAllDataRequested: true })
            {
                activity.SetTag(HeadClusterTelemetry.QueueTag, computation.Queue.TotalMicroseconds);
                activity.SetTag(HeadClusterTelemetry.ProjectTag, computation.Project.TotalMicroseconds);
                activity.SetTag(HeadClusterTelemetry.AttendTag, computation.Attend.TotalMicroseconds);
                activity.SetTag(HeadClusterTelemetry.BytesTag, bytes);
            }

            activity?.SetStatus(ActivityStatusCode.Ok);
            if (instruments._headDuration.Enabled || instruments._queueDuration.Enabled || instruments._headBytes.Enabled)
            {
                var tags = instruments.Tags(head.LayerId);
                instruments._headDuration.Record((computation.Project + computation.Attend).TotalSeconds, tags);
                instruments._queueDuration.Record(computation.Queue.TotalSeconds, tags);
                instruments._headBytes.Add(bytes, tags);
            }
        }

        public void Dispose() => End(activity);
    }

    /// <summary>One request of a layer.</summary>
    internal readonly struct AttentionMeasurement(HeadInstruments instruments, Activity? activity, LayerId layer) : IDisposable
    {
        private readonly long _started = instruments._attentionDuration.Enabled ? instruments._time.GetTimestamp() : 0;

        /// <summary>The layer was computed; without this the span ends as an error.</summary>
        public void Complete()
        {
            activity?.SetStatus(ActivityStatusCode.Ok);
            if (instruments._attentionDuration.Enabled)
            {
                instruments._attentionDuration.Record(instruments._time.GetElapsedTime(_started).TotalSeconds, instruments.Tags(layer));
            }
        }

        /// <summary>The request was taken on and could not be served.</summary>
        public void Fail()
        {
            if (instruments._attentionErrors.Enabled)
            {
                instruments._attentionErrors.Add(1, instruments.Tags(layer));
            }
        }

        public void Dispose() => End(activity);
    }

    private static void End(Activity? activity)
    {
        if (activity is { Status: ActivityStatusCode.Unset })
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }

        activity?.Dispose();
    }
}
