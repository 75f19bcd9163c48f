using System.Diagnostics;
using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;
using HeadCluster.Hosting;
using Microsoft.Extensions.Options;

namespace HeadCluster.Grains;

/// <summary>Spans and metrics of the heads of a silo.</summary>
internal sealed class HeadInstruments
{
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _queue;
    private readonly Counter<long> _moves;
    private readonly LocalGrains _local;
    private readonly string _silo;
    private readonly bool _tagsHead;

    public HeadInstruments(IMeterFactory meters, ILocalSiloDetails silo, LocalGrains local, SequenceCaches sequences, IOptions<HeadClusterOptions> options)
    {
        _local = local;
        _silo = silo.SiloAddress.ToParsableString();
        _tagsHead = options.Value.TagMetricsByHead;
        var meter = meters.HeadClusterMeter();
        _duration = meter.CreateSeconds("headcluster.head.duration", "Projections and attention of a head");
        _queue = meter.CreateSeconds("headcluster.queue.duration", "A head's wait for rows and for a compute thread");
        _moves = meter.CreateCounter<long>("headcluster.moves", "{head}", "Heads that were moved from one silo to another");
        meter.CreateObservableUpDownCounter("headcluster.heads", Count, "{head}", "Heads that are active");
        meter.CreateObservableUpDownCounter(
            "headcluster.sequences.memory",
            () => new Measurement<long>(sequences.Bytes, new KeyValuePair<string, object?>(HeadClusterTelemetry.SiloTag, _silo)),
            "By",
            "Keys and values of sequences that heads keep");
    }

    /// <summary>The telemetry of one head, for as long as it is here.</summary>
    public OneHead Of(HeadId head) => new(this, head);

    /// <summary>A head was moved. Whoever moved it counts it.</summary>
    public void Moved(HeadId head, SiloAddress from, SiloAddress to)
    {
        if (_moves.Enabled)
        {
            _moves.Add(
                1,
                new(HeadClusterTelemetry.ModelTag, head.Model),
                new(HeadClusterTelemetry.SiloTag, from.ToParsableString()),
                new(HeadClusterTelemetry.PeerTag, to.ToParsableString()));
        }
    }

    private IEnumerable<Measurement<int>> Count() => _local.CountHeadsByModel().Select(count => new Measurement<int>(
        count.Value, new(HeadClusterTelemetry.ModelTag, count.Key), new(HeadClusterTelemetry.SiloTag, _silo)));

    /// <summary>Telemetry of one head; its tags are made once.</summary>
    internal sealed class OneHead
    {
        private readonly HeadInstruments _instruments;
        private readonly HeadId _head;
        private readonly TagList _tags;

        public OneHead(HeadInstruments instruments, HeadId head)
        {
            _instruments = instruments;
            _head = head;
            _tags = new TagList
            {
                { HeadClusterTelemetry.ModelTag, head.Model },
                { HeadClusterTelemetry.LayerTag, head.Layer },
                { HeadClusterTelemetry.SiloTag, instruments._silo },
            };
            if (instruments._tagsHead)
            {
                _tags.Add(HeadClusterTelemetry.HeadTag, head.KvHead);
            }
        }

        /// <summary>The head begins a request. Dispose the result when it has ended, completed or not.</summary>
        public HeadMeasurement Start(int rows)
        {
            var span = Spans.StartLeaf("head");
            if (span is { IsAllDataRequested: true })
            {
                span.SetTag(HeadClusterTelemetry.ModelTag, _head.Model);
                span.SetTag(HeadClusterTelemetry.LayerTag, _head.Layer);
                span.SetTag(HeadClusterTelemetry.HeadTag, _head.KvHead);
                span.SetTag(HeadClusterTelemetry.SiloTag, _instruments._silo);
                span.SetTag(HeadClusterTelemetry.RowsTag, rows);
            }

            return new HeadMeasurement(this, span);
        }

        internal void Record(HeadComputation computation)
        {
            _instruments._duration.Record((computation.Project + computation.Attend).TotalSeconds, _tags);
            _instruments._queue.Record(computation.Queue.TotalSeconds, _tags);
        }
    }

    /// <summary>One request of a head.</summary>
    internal readonly struct HeadMeasurement(OneHead head, Activity? span) : IDisposable
    {
        /// <summary>The head was computed.</summary>
        public void Complete(HeadComputation computation)
        {
            head.Record(computation);
            if (span is null)
            {
                return;
            }

            if (span.IsAllDataRequested)
            {
                span.SetTag(HeadClusterTelemetry.QueueTag, computation.Queue.TotalMicroseconds);
                span.SetTag(HeadClusterTelemetry.ProjectTag, computation.Project.TotalMicroseconds);
                span.SetTag(HeadClusterTelemetry.AttendTag, computation.Attend.TotalMicroseconds);
                span.SetTag(HeadClusterTelemetry.BytesTag, computation.OutputBytes);
            }

            // When the head was computed, not when the silo's scheduler came back to this turn.
            span.SetEndTime(span.StartTimeUtc + computation.Elapsed);
        }

        /// <summary>The head could not be computed, or its request was cancelled.</summary>
        public void Fail(Exception exception) => Spans.Fail(span, exception);

        public void Dispose() => span?.Dispose();
    }
}
