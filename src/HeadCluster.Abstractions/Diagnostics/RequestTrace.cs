using System.Diagnostics;

namespace HeadCluster.Diagnostics;

/// <summary>
/// The trace that a request belongs to. It goes from grain to grain in Orleans' request context, in the form and under the names
/// of W3C's Trace Context, which are also Orleans': so spans of several processes join, with Orleans' own spans between them only
/// for those who listen to these.
/// </summary>
internal static class RequestTrace
{
    private const string ParentKey = "traceparent";
    private const string StateKey = "tracestate";

    // Nothing comes from it: it has the listeners of Orleans' source of the same name.
    private static readonly ActivitySource GrainCalls = new(HeadClusterTelemetry.GrainCallSourceName);

    /// <summary>Where all spans come from.</summary>
    public static ActivitySource Source { get; } = new(HeadClusterTelemetry.ActivitySourceName);

    /// <summary>
    /// What a span that begins here lies below: the current span, or else that of whoever called this grain; null where a trace
    /// would begin. Its flags say whether the request is sampled.
    /// </summary>
    public static ActivityContext? Parent => Activity.Current is { } current ? Of(current) : Carried();

    /// <summary>What lies below an activity refers to it by this; null if it is not one of W3C's form.</summary>
    /// <remarks>A listener may ask for all data without the flag. An activity of no source was created without asking anybody.</remarks>
    public static ActivityContext? Of(Activity activity) => activity.IdFormat != ActivityIdFormat.W3C
        ? null
        : activity is { Recorded: false, IsAllDataRequested: true, Source.Name.Length: > 0 }
            ? new ActivityContext(activity.TraceId, activity.SpanId, ActivityTraceFlags.Recorded, activity.TraceStateString)
            : activity.Context;

    /// <summary>Has the calls that are made from here on carry a span, until the calling method returns to its caller.</summary>
    public static void Carry(ActivityContext span)
    {
        var sampled = span.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? "01" : "00";
        RequestContext.Set(ParentKey, $"00-{span.TraceId.ToHexString()}-{span.SpanId.ToHexString()}-{sampled}");
        if (span.TraceState is { Length: > 0 } state)
        {
            RequestContext.Set(StateKey, state);
        }
    }

    /// <summary>
    /// Has the calls that are made from here on carry no span, which is what costs least. Not where Orleans' own spans are listened
    /// to: those begin traces wherever they are told of none.
    /// </summary>
    public static void CarryNothing()
    {
        if (!GrainCalls.HasListeners())
        {
            RequestContext.Remove(ParentKey);
            RequestContext.Remove(StateKey);
        }
    }

    /// <summary>
    /// Has the calls that are made from here on carry the program's own span, if somebody here listens to HeadCluster's: without
    /// that, it is for the silos to decide what is sampled.
    /// </summary>
    public static void CarryCurrent()
    {
        if (Source.HasListeners() && Activity.Current is { } current && Of(current) is { } span)
        {
            Carry(span);
        }
    }

    private static ActivityContext? Carried() =>
        RequestContext.Get(ParentKey) is string parent
        && ActivityContext.TryParse(parent, RequestContext.Get(StateKey) as string, isRemote: true, out var context)
            ? context
            : null;
}
