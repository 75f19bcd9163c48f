using System.Diagnostics;
using HeadCluster.Diagnostics;

namespace HeadCluster.Grains;

/// <summary>
/// Begins and ends spans. Whether a request is sampled is decided where its trace begins: below a span that is not, none is made.
/// With nobody listening, nothing is looked at.
/// </summary>
internal static class Spans
{
    /// <summary>Begins a span that has none of other grains below it, such as one of a kernel; null if it is not to be recorded.</summary>
    public static Activity? StartLeaf(string name) => RequestTrace.Source.HasListeners() ? Start(name, RequestTrace.Parent) : null;

    /// <summary>Begins a span, below which those of the calls belong that the calling method makes from here on.</summary>
    public static Activity? Start(string name)
    {
        var span = StartLeaf(name);
        if (span is not null)
        {
            RequestTrace.Carry(span.Context);
        }

        return span;
    }

    /// <summary>Begins a span below one that need not be current any more.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parent">The other; null where a trace begins.</param>
    public static Activity? StartBelow(string name, ActivityContext? parent)
    {
        if (!RequestTrace.Source.HasListeners())
        {
            return null;
        }

        var span = Start(name, parent);
        if ((span?.Context ?? parent) is { } carried)
        {
            RequestTrace.Carry(carried);
        }

        return span;
    }

    /// <summary>Ends a span: as an error, unless its status says otherwise.</summary>
    public static void End(Activity? span)
    {
        if (span is { Status: ActivityStatusCode.Unset })
        {
            span.SetStatus(ActivityStatusCode.Error);
        }

        span?.Dispose();
    }

    private static Activity? Start(string name, ActivityContext? parent) => parent switch
    {
        // A sampler that says no to the first span leaves it there, unrecorded, to tell those below.
        null => RequestTrace.Source.StartActivity(name),
        { } above when above.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) => RequestTrace.Source.StartActivity(name, ActivityKind.Internal, above),
        _ => null,
    };
}
