using System.Collections.Concurrent;
using System.Diagnostics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Testing;

/// <summary>Collects the spans of one cluster's requests, among all that the process records.</summary>
public sealed class SpanCollector : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;
    private readonly Func<IReadOnlyList<SiloAddress>> _silos;

    internal SpanCollector(Func<IReadOnlyList<SiloAddress>> silos, bool grainCalls)
    {
        _silos = silos;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == HeadClusterTelemetry.ActivitySourceName
                || (grainCalls && source.Name == HeadClusterTelemetry.GrainCallSourceName),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>HeadCluster's spans that have ended, in the order they did.</summary>
    public IReadOnlyList<Activity> Spans
    {
        get
        {
            var silos = _silos().Select(silo => silo.ToParsableString()).ToHashSet(StringComparer.Ordinal);
            var mine = _ended
                .Where(span => span.GetTagItem(HeadClusterTelemetry.SiloTag) is string silo && silos.Contains(silo))
                .Select(span => span.TraceId)
                .ToHashSet();
            return [.. _ended.Where(span => span.Source.Name == HeadClusterTelemetry.ActivitySourceName && mine.Contains(span.TraceId))];
        }
    }

    /// <summary>Whether a span lies below another, however many are between them.</summary>
    public bool IsBelow(Activity span, Activity ancestor)
    {
        ArgumentNullException.ThrowIfNull(span);
        ArgumentNullException.ThrowIfNull(ancestor);
        var parents = _ended.Where(other => other.TraceId == ancestor.TraceId).ToDictionary(other => other.SpanId, other => other.ParentSpanId);
        var id = span.SpanId;
        while (parents.TryGetValue(id, out id))
        {
            if (id == ancestor.SpanId)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Stops collecting.</summary>
    public void Dispose() => _listener.Dispose();
}
