using System.Diagnostics;
using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>Spans and metrics of the layers that a silo coordinates.</summary>
internal sealed class LayerInstruments
{
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _wireBytes;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _errors;
    private readonly string _silo;
    private int _active;

    public LayerInstruments(IMeterFactory meters, ILocalSiloDetails silo)
    {
        _silo = silo.SiloAddress.ToParsableString();
        var meter = meters.HeadClusterMeter();
        _duration = meter.CreateSeconds("headcluster.attention.duration", "A layer: heads and output projection");
        _wireBytes = meter.CreateCounter<long>("headcluster.wire.io", "By", "Inputs and outputs of heads that travelled to and from another silo");
        _retries = meter.CreateCounter<long>("headcluster.retries", "{request}", "Requests to heads that were made again, since their silo was lost");
        _errors = meter.CreateCounter<long>(
            "headcluster.attention.errors", "{request}", "Requests that a layer took on and that failed; cancelled ones are none");
        var silos = new KeyValuePair<string, object?>[] { new(HeadClusterTelemetry.SiloTag, _silo) };
        meter.CreateObservableUpDownCounter(
            "headcluster.attention.active_requests",
            () => new Measurement<int>(Volatile.Read(ref _active), silos),
            "{request}",
            "Requests that layers are serving");
    }

    /// <summary>The telemetry of one layer, for as long as it is here.</summary>
    public OneLayer Of(LayerId layer) => new(this, layer);

    /// <summary>What a layer asked of a silo that was lost is asked again.</summary>
    public void Retried(LayerId layer)
    {
        if (_retries.Enabled)
        {
            _retries.Add(1, Tags(layer));
        }
    }

    private TagList Tags(LayerId layer) => new()
    {
        { HeadClusterTelemetry.ModelTag, layer.Model },
        { HeadClusterTelemetry.LayerTag, layer.Layer },
        { HeadClusterTelemetry.SiloTag, _silo },
    };

    /// <summary>Telemetry of one layer; its tags are made once.</summary>
    internal sealed class OneLayer(LayerInstruments instruments, LayerId layer)
    {
        private readonly TagList _tags = instruments.Tags(layer);

        /// <summary>The layer takes a request on. Dispose the result when it has ended, completed or not.</summary>
        public AttentionMeasurement Start(int rows)
        {
            Interlocked.Increment(ref instruments._active);
            var span = Spans.StartOverLeaves("attention");
            if (span is { IsAllDataRequested: true })
            {
                span.SetTag(HeadClusterTelemetry.ModelTag, layer.Model);
                span.SetTag(HeadClusterTelemetry.LayerTag, layer.Layer);
                span.SetTag(HeadClusterTelemetry.SiloTag, instruments._silo);
                span.SetTag(HeadClusterTelemetry.RowsTag, rows);
            }

            return new AttentionMeasurement(this, span);
        }

        internal void Record(AttentionResult result)
        {
            instruments._duration.Record(result.Elapsed.TotalSeconds, _tags);
            if (!instruments._wireBytes.Enabled)
            {
                return;
            }

            foreach (var report in result.Silos)
            {
                if (report.Bytes > 0)
                {
                    instruments._wireBytes.Add(
                        report.Bytes,
                        new(HeadClusterTelemetry.ModelTag, layer.Model),
                        new(HeadClusterTelemetry.SiloTag, instruments._silo),
                        new(HeadClusterTelemetry.PeerTag, report.Silo.ToParsableString()));
                }
            }
        }

        internal void RecordError(string? kind)
        {
            if (instruments._errors.Enabled)
            {
                var tags = _tags;
                tags.Add(HeadClusterTelemetry.ErrorTag, kind);
                instruments._errors.Add(1, tags);
            }
        }

        internal void End() => Interlocked.Decrement(ref instruments._active);
    }

    /// <summary>One request of a layer.</summary>
    internal readonly struct AttentionMeasurement(OneLayer layer, Activity? span) : IDisposable
    {
        /// <summary>The layer was computed.</summary>
        public void Complete(AttentionResult result) => layer.Record(result);

        /// <summary>The request was taken on and could not be served.</summary>
        public void Fail(Exception exception)
        {
            Spans.Fail(span, exception);
            if (Spans.IsFailure(exception))
            {
                layer.RecordError(Spans.ErrorType(exception));
            }
        }

        public void Dispose()
        {
            layer.End();
            span?.Dispose();
        }
    }
}
