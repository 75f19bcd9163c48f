using System.Diagnostics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>
/// Begins and ends spans. Whether a request is sampled is decided where its trace begins: below a span that is not, none is made.
/// With nobody listening, nothing is looked at.
/// </summary>
internal static class Spans
{
    /// <summary>Begins a span, below which those of the calls belong that the calling method makes from here on.</summary>
    public static Activity? Start(string name) => RequestTrace.Source.HasListeners() ? StartBelow(name, RequestTrace.Parent) : null;

    /// <summary>
    /// Begins a span of which all below are leaves. If it is not recorded, calls from here on carry nothing: a leaf begins no
    /// trace, so that it need not be told.
    /// </summary>
    public static Activity? StartOverLeaves(string name)
    {
        if (!RequestTrace.Source.HasListeners())
        {
            return null;
        }

        var span = Begin(name, RequestTrace.Parent);
        if (span is { IsAllDataRequested: true } && RequestTrace.Of(span) is { } carried)
        {
            RequestTrace.Carry(carried);
        }
        else
        {
            RequestTrace.CarryNothing();
        }

        return span;
    }

    /// <summary>Begins a span that has none below it; null also where a trace would begin with it.</summary>
    public static Activity? StartLeaf(string name) =>
        RequestTrace.Source.HasListeners() && RequestTrace.Parent is { } parent ? Begin(name, parent) : null;

    /// <summary>Begins a span below one that need not be current any more.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parent">The other; null where a trace begins.</param>
    public static Activity? StartBelow(string name, ActivityContext? parent)
    {
        if (!RequestTrace.Source.HasListeners())
        {
            return null;
        }

        var span = Begin(name, parent);
        if ((span is null ? parent : RequestTrace.Of(span)) is { } carried)
        {
            RequestTrace.Carry(carried);
        }

        return span;
    }

    /// <summary>Whether an exception is a failure: what was cancelled is none, nor what is to be sent from a sequence's first row on.</summary>
    public static bool IsFailure(Exception exception) =>
        exception is not (OperationCanceledException or HeadClusterException { Kind: HeadClusterErrorKind.StateLost });

    /// <summary>What a span covers ended with an exception.</summary>
    public static void Fail(Activity? span, Exception exception)
    {
        if (span is not null && IsFailure(exception))
        {
            span.SetTag(HeadClusterTelemetry.ErrorTag, ErrorType(exception));
            span.SetStatus(ActivityStatusCode.Error, exception.Message);
        }
    }

    /// <summary>The kind of a failure, for <see cref="HeadClusterTelemetry.ErrorTag"/>.</summary>
    public static string? ErrorType(Exception exception) =>
        exception is HeadClusterException known ? known.Kind.ToString() : exception.GetType().FullName;

    private static Activity? Begin(string name, ActivityContext? parent) => parent switch
    {
        // A sampler that says no to the first span leaves it there, unrecorded, to tell those below.
        null => RequestTrace.Source.StartActivity(name),
        { } above when above.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) => RequestTrace.Source.StartActivity(name, ActivityKind.Internal, above),
        _ => null,
    };
}
