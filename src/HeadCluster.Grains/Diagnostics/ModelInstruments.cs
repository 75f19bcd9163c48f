using System.Diagnostics;
using System.Diagnostics.Metrics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>Spans and metrics of passes through whole models.</summary>
internal sealed class ModelInstruments
{
    private readonly Histogram<double> _tokenDuration;
    private readonly string _silo;

    public ModelInstruments(IMeterFactory meters, ILocalSiloDetails silo)
    {
        _silo = silo.SiloAddress.ToParsableString();
        _tokenDuration = meters.HeadClusterMeter().CreateSeconds("headcluster.token.duration", "A generated token: one pass through all layers");
    }

    /// <summary>A sequence is to be continued. Its tokens are computed in turns of their own, so that they are told their trace.</summary>
    public Generation StartGeneration(string model, int promptTokens)
    {
        var parent = RequestTrace.Source.HasListeners() ? RequestTrace.Parent : null;
        var span = Spans.StartBelow("generate", parent);
        Describe(span, model, promptTokens);
        return new Generation(this, model, span, span is null ? parent : RequestTrace.Of(span));
    }

    /// <summary>The logits of given tokens are to be computed. Dispose the result when they are, or when that failed.</summary>
    public SpanScope StartForward(string model, int tokens)
    {
        var span = Spans.Start("forward");
        Describe(span, model, tokens);
        return new SpanScope(span);
    }

    /// <summary>One block of a model begins: attention and feed-forward.</summary>
    public static SpanScope StartLayer(string model, int layer)
    {
        var span = Spans.Start("layer");
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(HeadClusterTelemetry.ModelTag, model);
            span.SetTag(HeadClusterTelemetry.LayerTag, layer);
        }

        return new SpanScope(span);
    }

    private void Describe(Activity? span, string model, int tokens)
    {
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(HeadClusterTelemetry.ModelTag, model);
            span.SetTag(HeadClusterTelemetry.SiloTag, _silo);
            span.SetTag(HeadClusterTelemetry.RowsTag, tokens);
        }
    }

    /// <summary>The generation of some tokens.</summary>
    internal readonly struct Generation(ModelInstruments instruments, string model, Activity? span, ActivityContext? trace) : IDisposable
    {
        /// <summary>A token is to be computed. Dispose the result when it is, or when that failed, as the generation has then too.</summary>
        /// <param name="position">Where it will stand in its sequence.</param>
        public SpanScope StartToken(int position)
        {
            var token = Spans.StartBelow("token", trace);
            instruments.Describe(token, model, position);
            token?.SetTag(HeadClusterTelemetry.PositionTag, position);
            return new SpanScope(token, span);
        }

        /// <summary>A token was computed.</summary>
        public void RecordToken(TimeSpan duration)
        {
            if (instruments._tokenDuration.Enabled)
            {
                instruments._tokenDuration.Record(
                    duration.TotalSeconds, new(HeadClusterTelemetry.ModelTag, model), new(HeadClusterTelemetry.SiloTag, instruments._silo));
            }
        }

        public void Dispose() => span?.Dispose();
    }
}
